"""What Stable Diffusion is asked for: five buckets of prompts, put together from parts.

Conventions
-----------
A prompt is one of each part of its bucket, comma after comma; all draws come from a generator that is passed in.
No prompt names an artist.
"""

from dataclasses import dataclass

from numpy.random import Generator

NEGATIVE = (
    "text, letters, words, watermark, signature, logo, frame, border, person, people, face, hands, body, animal, "
    "room, furniture, building, photo of an object, collage, grid of pictures, low quality, jpeg artefacts, dull"
)


@dataclass(frozen=True)
class Bucket:
    """Parts of prompts of one family of pictures.

    Parameters
    ----------
    parts : tuple of tuple of str
        One of each is drawn.
    has_colour : bool
        Whether a picture of it may be judged by its colour.
    """

    parts: tuple[tuple[str, ...], ...]
    has_colour: bool = True


_LIGHT = (
    "soft light from the side",
    "glowing from within",
    "deep shadows",
    "even light",
    "rim of light at the edges",
    "light through mist",
)
_COLOURS = (
    "ultramarine, rose and gold",
    "teal, coral and cream",
    "violet, magenta and amber",
    "emerald, black and copper",
    "indigo, turquoise and pale yellow",
    "crimson, orange and ink",
    "lilac, mint and peach",
    "petrol blue, rust and ivory",
)

BUCKETS: dict[str, Bucket] = {
    "abstract": Bucket(
        (
            (
                "abstract painting of flowing silk",
                "abstract marbled ink in water",
                "abstract folds of coloured smoke",
                "abstract liquid metal ribbons",
                "abstract layered translucent veils",
                "abstract macro of swirling pigment",
                "abstract strata of stone and agate",
                "abstract iridescent soap film",
            ),
            (
                "large calm shapes",
                "fine veins between wide areas",
                "strong diagonal movement",
                "a slow spiral",
            ),
            _COLOURS,
            _LIGHT,
        )
    ),
    "glitch": Bucket(
        (
            (
                "glitch art, shifted horizontal bands",
                "datamoshed abstract picture",
                "broken video signal, scan lines",
                "pixel sorting, long vertical streaks",
                "corrupted compression blocks, abstract",
                "analogue video feedback, abstract",
            ),
            (
                "torn and displaced",
                "chromatic shift",
                "repeating fragments",
                "noise that dissolves to one side",
            ),
            (*_COLOURS, "cyan, magenta and yellow on black", "phosphor green and deep blue"),
        )
    ),
    "colour_field": Bucket(
        (
            (
                "colour field painting, two large soft rectangles",
                "colour field painting, one wide horizon",
                "colour field painting, glowing disc on a flat ground",
                "smooth gradient between three colours, painted",
                "hard edged colour planes, minimal",
                "poured veils of thin colour on canvas",
            ),
            ("feathered edges", "visible canvas grain", "vast and quiet", "saturated", "nearly monochrome"),
            _COLOURS,
        )
    ),
    "reaction_diffusion": Bucket(
        (
            (
                "reaction diffusion pattern, labyrinth",
                "turing pattern, spots that merge",
                "coral like growth pattern, seen from above",
                "patterns of dendrites and cells, abstract",
                "brain coral relief, abstract macro",
                "animal skin like stripes, abstract pattern",
            ),
            ("embossed relief", "glossy", "matte and flat", "growing larger towards one corner"),
            _COLOURS,
            _LIGHT,
        )
    ),
    "monochrome_noise": Bucket(
        (
            (
                "monochrome fractal noise, clouds",
                "black and white ridged noise, mountains from above",
                "grey domain warped noise, marble",
                "monochrome ink wash, blotches and drips",
                "black and white long exposure of water",
                "monochrome sand ripples from above",
            ),
            ("high contrast", "soft greys", "fine grain", "deep black with few lights"),
        ),
        has_colour=False,
    ),
}


def prompt_of(bucket: str, rng: Generator) -> str:
    """A prompt of a bucket."""
    return ", ".join(str(part[rng.integers(len(part))]) for part in BUCKETS[bucket].parts)
