"""What a generator of pictures says of itself, and how codes are blended for it.

Conventions
-----------
A generator is an ONNX file. Its input ``latent`` is float32 [n, channels, height, width], a code a picture,
n free. Its output is ``fields`` float32 [n, 2, height, width], place in a palette and shade, or ``rgb``
float32 [n, 3, height, width]; both in 0..1. A `GeneratorCard` in its metadata holds its bank: codes that
make good pictures, flat, one a row, in float16. Axes are scaled: one is a standard deviation of the bank.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.artifact import read_only, require, settle
from ripieno.contracts.errors import InputError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

KEY = "ripieno_generator"
VERSION = 1
CHANNELS = {"fields": 2, "rgb": 3}
FEATURES = ("rms", "centroid_hz", "flatness", "onset_strength", "mfcc_1", "mfcc_2", "mfcc_3")
"""Features of sound that a projection reads where its trainer says nothing else."""
TILT = 2.0
WANDER = 0.7
# Codes that point against each other cancel: what is left is made no louder than this.
MOST_GAIN = 4.0

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class GeneratorCard:
    """What must be known to steer a generator.

    Parameters
    ----------
    latent_shape : tuple of int
        Channels, height and width of a code, each > 0.
    output : str
        ``fields`` or ``rgb``.
    size : tuple of int
        Width and height of its pictures in pixels, each > 0.
    anchors : ndarray [codes, channels * height * width]
        The bank. Kept at the precision of float16, like all arrays here.
    axes : ndarray [axes, channels * height * width]
        Directions in which the bank varies most, a standard deviation long.
    projection : ndarray [codes, features]
        What each code answers to: its product with standardised features is how much the code is wanted.
    features : tuple of str
        Names of these features.

    Raises
    ------
    InputError
        If the parts do not fit each other.
    """

    latent_shape: tuple[int, int, int]
    output: str
    size: tuple[int, int]
    anchors: Array
    axes: Array
    projection: Array
    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        latent_shape = _counts(self.latent_shape, "latent", 3)
        size, features = _counts(self.size, "size", 2), tuple(map(str, self.features))
        require(self.output in CHANNELS, f"output is {self.output!r}, expected {' or '.join(CHANNELS)}")
        arrays = {name: _half(getattr(self, name), name) for name in ("anchors", "axes", "projection")}
        settle(self, latent_shape=latent_shape, size=size, features=features, **arrays)
        codes, long = len(self.anchors), prod(latent_shape)
        require(codes, "anchors are none: a bank has a code at least")
        _expect(self.anchors, "anchors", (codes, long))
        _expect(self.axes, "axes", (len(self.axes), long))
        _expect(self.projection, "projection", (codes, len(features)))

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], *, source: str | Path = "generator") -> Self:
        """The card in the metadata of an ONNX file.

        Parameters
        ----------
        metadata : mapping of str to str
            Of the file.
        source : str or Path
            Its name, for messages.

        Raises
        ------
        InputError
            If there is none, or it cannot be read; the message begins with `source`.
        """
        if KEY not in metadata:
            raise InputError(f"{source}: no {KEY} in its metadata: this is no generator of pictures")
        try:
            document = json.loads(metadata[KEY])
            require(isinstance(document, dict), f"{KEY} is no JSON object")
            version = document.get("version")
            require(version == VERSION, f"{KEY} has version {version!r}, this program reads {VERSION}")
            return cls(
                document["latent"],
                document["output"],
                document["size"],
                anchors=_decoded(document["anchors"], "anchors"),
                axes=_decoded(document["axes"], "axes"),
                projection=_decoded(document["projection"], "projection"),
                features=document["features"],
            )
        except InputError as error:
            raise InputError(f"{source}: {error}") from error
        except KeyError as error:
            raise InputError(f"{source}: {KEY} lacks {error}") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{source}: {KEY} cannot be read: {error}") from error

    @classmethod
    def of_session(cls, session: "InferenceSession", path: Path) -> Self:
        """The card of a generator that is loaded; what it says is what the network takes and gives.

        Raises
        ------
        InputError
            If it has none, or another input or output than its card says; the message names the file.
        """
        card = cls.from_metadata(session.get_modelmeta().custom_metadata_map, source=path)
        (width, height), channels = card.size, CHANNELS[card.output]
        _fits(path, "input", session.get_inputs(), "latent", card.latent_shape)
        _fits(path, "output", session.get_outputs(), card.output, (channels, height, width))
        return card

    @cached_property
    def bank(self) -> str:
        """Of which codes the bank is: equal banks, equal text."""
        return hashlib.sha256(self.anchors.astype("<f2").tobytes()).hexdigest()[:16]

    def to_metadata(self) -> dict[str, str]:
        """Metadata of an ONNX file; `from_metadata` is the inverse."""
        document = {
            "version": VERSION,
            "latent": self.latent_shape,
            "output": self.output,
            "size": self.size,
            "features": self.features,
            "anchors": _encoded(self.anchors),
            "axes": _encoded(self.axes),
            "projection": _encoded(self.projection),
        }
        return {KEY: json.dumps(document)}


def columns(*, anchors: int, axes: int) -> tuple[str, ...]:
    """Names of a film's coefficients, in order.

    ``anchor_0`` … are weights >= 0 that sum to 1, ``wander_0`` … lie in -1..1. ``drift_x`` and ``drift_y``
    are the place, in periods, of the mask by which anchors lead in different parts of the picture. ``hue``
    is turns of the palette, ``energy``, ``pulse`` and ``flash`` lie in 0..1, ``zoom`` is >= 1.
    """
    return (
        *(f"anchor_{index}" for index in range(anchors)),
        *(f"wander_{index}" for index in range(axes)),
        *("drift_x", "drift_y", "hue", "energy", "pulse", "flash", "zoom"),
    )


def expand(
    card: GeneratorCard, rows: Array, *, names: Sequence[str], look: Mapping[str, Any]
) -> NDArray[np.float32]:
    """The codes of some frames of a film.

    Parameters
    ----------
    card : GeneratorCard
        Of the generator that will draw them.
    rows : ndarray [frames, columns]
        Coefficients; any part of a trajectory, or rows between two of its rows.
    names : sequence of str
        Of the columns, as `columns` gives them.
    look : mapping
        Of the trajectory: ``anchors`` are places in the bank, ``bank`` may say of which one,
        ``latent`` may hold ``tilt`` (how much one
        anchor leads in its part of the picture, >= 0) and ``wander`` (standard deviations at 1, >= 0).

    Returns
    -------
    ndarray [frames, channels, height, width]
        Float32. Each row depends on its own row alone.

    Raises
    ------
    InputError
        If the generator has no such anchors or axes.
    """
    chosen = anchors_of(card, look)
    latent = look.get("latent", {})
    weights = rows[:, _places(names, "anchor_", len(chosen))]
    count = sum(name.startswith("wander_") for name in names)
    require(
        count <= len(card.axes), f"the film wanders along {count} axes, its generator has {len(card.axes)}"
    )
    codes = blend(
        weights,
        card.anchors[list(chosen)],
        shape=card.latent_shape,
        drift=rows[:, [names.index("drift_x"), names.index("drift_y")]],
        tilt=float(latent.get("tilt", TILT)),
    )
    if not count:
        return codes
    wander = rows[:, _places(names, "wander_", count)] * np.float32(latent.get("wander", WANDER))
    return codes + _mixed(wander[:, :, None], card.axes[:count]).reshape(codes.shape)


def anchors_of(card: GeneratorCard, look: Mapping[str, Any]) -> tuple[int, ...]:
    """Places in the bank of the anchors of a film's look.

    Raises
    ------
    InputError
        If there are none, the bank is shorter, or the look is made for another bank.
    """
    bank = look.get("bank", card.bank)
    require(
        bank == card.bank,
        f"the trajectory is steered for the bank {bank}, the generator has the bank {card.bank}: "
        "give controller and renderer the same weights, or the same model",
    )
    anchors = tuple(int(index) for index in look.get("anchors", ()))
    require(anchors, "the trajectory's look names no anchors: controller/latent writes them")
    beyond = [index for index in anchors if not 0 <= index < len(card.anchors)]
    listed = ", ".join(map(str, beyond))
    require(not beyond, f"no anchor {listed} in the generator: its bank has 0 to {len(card.anchors) - 1}")
    return anchors


def blend(
    weights: Array, codes: Array, *, shape: tuple[int, int, int], drift: Array | None = None, tilt: float = 0
) -> Array:
    """Weighted sums of codes, as loud as the codes are.

    A plain mean of codes is quieter than each of them, and a generator draws it greyer. So each place of
    the sum is divided by the norm that such a mixture has, and brought to the mean norm of what is mixed:
    without a tilt that is the normalised blend along the sphere.

    Parameters
    ----------
    weights : ndarray [frames, codes]
        Each >= 0, rows sum to 1.
    codes : ndarray [codes, channels * height * width]
        Flat.
    shape : tuple of int
        Channels, height and width of a code.
    drift : ndarray [frames, 2], optional
        Place of the mask in periods along x and y; one period is the width of the picture.
    tilt : float
        How much an anchor leads in its part of the picture, >= 0: at 0 all weigh the same everywhere.

    Returns
    -------
    ndarray [frames, channels, height, width]
        Float32.
    """
    channels, height, width = shape
    bank = codes.reshape(len(codes), channels, height * width).astype(np.float32, copy=False)
    tiny = np.finfo(np.float32).tiny
    places = np.broadcast_to(weights[:, :, None], (*weights.shape, height * width)).astype(np.float32)
    if tilt and drift is not None and height * width > 1:
        places = places * np.exp(np.float32(tilt) * mask(drift, len(codes), height=height, width=width))
        places /= np.maximum(_mixed(places, np.ones((len(codes), 1), np.float32)), tiny)[:, None]
    flat = codes.astype(np.float64)
    gram = (flat @ flat.T).astype(np.float32)
    wanted = _mixed(places, np.sqrt(np.diagonal(gram))[:, None])
    # The power of a mixture: weights times the codes' products times weights.
    crossed = _mixed(places[:, :, None], gram[:, :, None])
    power = sum(places[:, index] * crossed[:, index] for index in range(len(codes)))
    norm = np.maximum(np.sqrt(np.maximum(power, 0)), wanted / MOST_GAIN)
    gain = wanted / np.maximum(norm, tiny)
    mixed: Array = _mixed(places[:, :, None], bank) * gain[:, None]
    return mixed.reshape(len(weights), channels, height, width)


def mask(drift: Array, count: int, *, height: int, width: int) -> Array:
    """Where each of some anchors leads: two long waves for each, over the picture.

    Parameters
    ----------
    drift : ndarray [frames, 2]
        Place in periods along x and y; a whole period gives the same mask.
    count : int
        Of anchors.
    height, width : int
        Of the grid.

    Returns
    -------
    ndarray [frames, count, height * width]
        Float32, -1..1, with mean 0 over a period.
    """
    directions = np.array([(1, 0), (0, 1), (1, 1), (1, -1)])
    index = np.arange(count)
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    grid = np.stack([x.ravel(), y.ravel()])
    waves = np.zeros((len(drift), count, height * width), np.float32)
    # Multiples of these irrationals spread phases evenly, however many anchors there are.
    for spread, ways in (
        (0.7548776662466927, directions[index % 4]),
        (0.5698402909980532, directions[(index + 1 + index // 4 % 3) % 4]),
    ):
        moved = drift[:, :1] * ways[:, 0] + drift[:, 1:] * ways[:, 1] + index * spread
        turns = (moved[:, :, None] + ways @ grid) % 1
        waves += np.cos(2 * np.pi * turns).astype(np.float32) / 2
    return waves


def principal_axes(codes: Array, count: int) -> Array:
    """Directions [count, dims] in which codes [codes, dims] vary most, each a standard deviation long.

    Their signs are such that the largest value is positive; where codes vary in fewer directions, the
    further ones are 0.
    """
    centred = codes - codes.mean(axis=0, dtype=np.float64)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    found = directions[:count] * (lengths[:count] / np.sqrt(len(codes)))[:, None]
    largest = np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)
    axes = np.zeros((count, codes.shape[1]), np.float32)
    axes[: len(found)] = found * np.where(largest < 0, -1, 1)
    return axes


def spread_projection(codes: Array, features: int) -> Array:
    """A projection [codes, features] by which like sounds want like codes.

    A code's row is its place along the principal axes, as many as there are features, at unit length: the
    codes lie around the origin of the features as they lie around their own mean.
    """
    axes = principal_axes(codes, features).astype(np.float64)
    powers = np.maximum(np.square(axes).sum(axis=1), 1e-24)
    rows = (codes - codes.mean(axis=0, dtype=np.float64)) @ axes.T / powers
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def _mixed(weights: Array, values: Array) -> Array:
    """Sum over k of weights [frames, k, ...] times values [k, ...].

    One product after the other: a matrix product differs in its last bits with the number of frames.
    """
    total = weights[:, 0] * values[0]
    for index in range(1, len(values)):
        total = total + weights[:, index] * values[index]
    return np.asarray(total, np.float32)


def _places(names: Sequence[str], prefix: str, count: int) -> list[int]:
    lacking = [f"{prefix}{index}" for index in range(count) if f"{prefix}{index}" not in names]
    require(not lacking, f"the trajectory lacks {', '.join(lacking)}: it has {', '.join(names)}")
    return [names.index(f"{prefix}{index}") for index in range(count)]


def _counts(values: Any, name: str, count: int) -> tuple[int, ...]:
    given = tuple(values) if isinstance(values, (list, tuple)) else ()
    is_size = len(given) == count and all(isinstance(value, int) and value > 0 for value in given)
    require(is_size, f"{name} is {values!r}, expected {count} whole numbers above 0")
    return given


def _half(values: Any, name: str) -> Array:
    """The values in float32, at the precision of the float16 that the file has."""
    with np.errstate(over="ignore"):
        array = np.asarray(values, np.float16).astype(np.float32)
    require(np.isfinite(array).all(), f"{name} holds NaN or what float16 cannot hold")
    return read_only(array)


def _expect(array: Array, name: str, shape: tuple[int, ...]) -> None:
    require(array.shape == shape, f"{name} has shape {list(array.shape)}, expected {list(shape)}")


def _encoded(array: Array) -> dict[str, Any]:
    text = base64.b64encode(array.astype("<f2").tobytes()).decode("ascii")
    return {"shape": array.shape, "float16": text}


def _decoded(document: Any, name: str) -> Array:
    try:
        values = np.frombuffer(base64.b64decode(document["float16"], validate=True), "<f2")
        array: Array = values.reshape(document["shape"]).astype(np.float32)
        return array
    except (binascii.Error, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{KEY}: {name} cannot be read: {error}") from error


def _fits(path: Path, what: str, found: Sequence[Any], name: str, shape: tuple[int, ...]) -> None:
    """Whether one named value has a free first axis and this shape; an axis without a number fits any."""
    listed = ", ".join(f"{value.name} {value.shape}" for value in found)
    expected = f"{name} ['n', {', '.join(map(str, shape))}]"
    named = [value for value in found if value.name == name]
    fits = named and (what == "output" or len(found) == 1) and len(named[0].shape) == len(shape) + 1
    if fits:
        first, *others = named[0].shape
        sizes = zip(others, shape, strict=True)
        fits = not isinstance(first, int) and all(
            not isinstance(size, int) or size == wanted for size, wanted in sizes
        )
    if not fits:
        raise InputError(f"{path}: its {what} is {listed}, its card says {expected}: export it again")
