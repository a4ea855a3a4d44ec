"""``sink/film_extras``: what stands beside the film of a track."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pydantic import Field

from ripieno.contracts import (
    FFMPEG,
    Artifact,
    Audio,
    Bundle,
    Licence,
    PluginConfig,
    Sink,
    Trajectory,
    Video,
)

from .card import card
from .sheet import bounded, contact_sheet, cover, liveliest, write
from .stills import animation, decoded

META, LATENTS, POSTER, COVER = "meta.json", "latents.npz", "poster.jpg", "cover.jpg"
SHEET, MOVING = "contact-sheet.jpg", "preview.gif"
_POSTER_PIXELS, _COVER_PIXELS, _SHEET_PIXELS = 1280, 1000, 1920


class FilmExtrasConfig(PluginConfig):
    """Settings of `FilmExtras`."""

    previews: int = Field(4, ge=0, le=50, description="Single frames as PNG, evenly over the film.")
    sheet: int = Field(16, ge=1, le=100, description="Frames of the contact sheet.")
    sheet_columns: int = Field(4, ge=1, le=20, description="Of the contact sheet.")
    gif_s: float = Field(
        4.0,
        ge=0,
        le=30,
        description="Length of the GIF, from the middle of the film; 0 makes none.",
        json_schema_extra={"unit": "s"},
    )
    gif_pixels: int = Field(
        400, ge=16, le=1280, description="Longer side of the GIF.", json_schema_extra={"unit": "pixels"}
    )
    gif_fps: float = Field(12.5, ge=1, le=50, description="Of the GIF.", json_schema_extra={"unit": "Hz"})


class FilmExtras(Sink[FilmExtrasConfig]):
    """What stands beside a film: its coefficients, everything that made it, stills, a GIF and a contact sheet.

    The same film gives the same files. Memory holds the stills, not the film.
    """

    binaries = (FFMPEG,)
    reads_history = True

    def publish(
        self, film: Video, *, trajectory: Trajectory | None = None, audio: Audio | None = None
    ) -> Bundle:
        """The files beside a film.

        Parameters
        ----------
        film : Video
        trajectory : Trajectory, optional
            What it was rendered from, for ``latents.npz``.
        audio : Audio, optional
            What it sounds like, for its hash.

        Returns
        -------
        Bundle
            ``meta.json``, ``poster.jpg``, ``contact-sheet.jpg``, ``preview-1.png`` and on, ``preview.gif``;
            ``latents.npz`` of a trajectory; ``cover.jpg`` where the track list names one.

        Raises
        ------
        InputError
            If the cover is no picture, or too large a one.
        """
        folder = self.context.new_file()
        folder.mkdir()
        facts, config = self.context.facts, self.config
        if "art" in facts:
            cover(Path(facts["art"]), folder / COVER, longest=_COVER_PIXELS)
        frames_sha256 = self._stills(film, folder)
        if config.gif_s:
            length_s = min(config.gif_s, film.duration_s)
            animation(
                film,
                folder / MOVING,
                start_s=max(0.0, (film.duration_s - length_s) / 2),
                length_s=max(length_s, 1 / film.fps),
                longest=config.gif_pixels,
                fps=config.gif_fps,
            )
        if trajectory is not None:
            _write_latents(trajectory, folder / LATENTS)
        parts = [part for part in (film, trajectory, audio) if part is not None]
        document = card(
            film,
            frames_sha256=frames_sha256,
            facts=facts,
            history=self.context.history,
            licences=_licences(parts),
            trajectory=trajectory,
            audio=audio,
        )
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        (folder / META).write_text(text, encoding="utf-8", newline="\n")
        return Bundle({path.name: path for path in sorted(folder.iterdir())})

    def _stills(self, film: Video, folder: Path) -> str:
        """Write all that is made of single frames; the SHA-256 of all frames."""
        frames = max(1, round(film.duration_s * film.fps))
        previews, sheet = (_evenly(frames, count) for count in (self.config.previews, self.config.sheet))
        pictures, sha256 = decoded(film, {0, *previews, *sheet})
        # A film may lack its last frame where its duration was rounded.
        shown = [number for number in sheet if number in pictures] or [0]
        for index, number in enumerate(filter(pictures.__contains__, previews), 1):
            write(pictures[number], folder / f"preview-{index}.png")
        drawn = contact_sheet(
            [pictures[number] for number in shown],
            [number / film.fps for number in shown],
            columns=self.config.sheet_columns,
            width=_SHEET_PIXELS,
        )
        write(drawn, folder / SHEET)
        # Not the beginning, where the title stands, nor the end, where music and picture fade.
        middle = [pictures[number] for number in shown if 0.3 < number / frames < 0.9]
        choice = middle or [pictures[number] for number in shown]
        write(bounded(choice[liveliest(choice)], _POSTER_PIXELS), folder / POSTER)
        return sha256


def _evenly(frames: int, count: int) -> list[int]:
    """Frames in the middles of `count` equal parts, each once."""
    return sorted({int((part + 0.5) * frames / count) for part in range(count)})


def _write_latents(trajectory: Trajectory, path: Path) -> None:
    """The coefficients of every frame, which blend the codes of a generator's bank, and how they look."""
    np.savez_compressed(
        path,
        coefficients=trajectory.coefficients,
        names=np.array(trajectory.names, np.str_),
        fps=np.float64(trajectory.fps),
        look=np.array(json.dumps(dict(trajectory.look), sort_keys=True), np.str_),
    )


def _licences(artifacts: Iterable[Artifact]) -> tuple[Licence, ...]:
    found = (licence for artifact in artifacts for licence in artifact.provenance.licences)
    return tuple(dict.fromkeys(found))
