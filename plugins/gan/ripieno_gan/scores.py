"""How good drawn pictures are beside real ones, in figures that need no pairs.

Conventions
-----------
Pictures are float32 [n, 2 or 3, h, w], 0 to 1: index and shade, or red, green and blue. Fields are judged in colour,
each through one of five palettes, by turns, so that real and drawn ones are coloured alike. A ratio is drawn by
real: 1 is as in the data.

References
----------
Bińkowski et al.: Demystifying MMD GANs. ICLR 2018 (the kernel distance).
Gretton et al.: A kernel two-sample test. 2012.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import Licence
from ripieno.toolkit.onnx import onnx_session, run_network

from .palettes import PALETTES, coloured, oklab

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Pictures = NDArray[np.floating[Any]]

LICENCE = Licence(
    "Apache-2.0", credit="The Ripieno developers", source="picture-features.onnx of ripieno-gan"
)
FEATURES = Path(__file__).parent / "models" / "picture-features.onnx"
BANDS = {"detail_high": (0.0, 1.0), "detail_mid": (1.0, 4.0), "detail_low": (4.0, 16.0)}
"""Deviations, in pixels, of the Gaussians between which a band of detail lies; 0 is the picture itself."""
AT_ONCE = 32


def shown(pictures: Pictures, *, together: int = 1) -> NDArray[np.uint8]:
    """The pictures in colour, uint8 [n, h, w, 3]; of fields, so many together have one palette."""
    if pictures.shape[1] == 3:
        return (np.clip(np.moveaxis(pictures, 1, -1), 0, 1) * 255 + 0.5).astype(np.uint8)
    palettes = list(PALETTES.values())
    return np.stack(
        [coloured(fields, palettes[at // together % len(palettes)]) for at, fields in enumerate(pictures)]
    )


def features_of(pictures: Pictures) -> NDArray[np.float32]:
    """What the feature network sees in pictures, [n, features].

    Raises
    ------
    MissingError
        If onnxruntime is not installed.
    """
    session = _network()
    size = session.get_inputs()[0].shape[-1]
    parts = [
        run_network(session, FEATURES, {"pictures": _as_input(part, size)}, outputs=["features"])[0]
        for part in (shown(pictures[at : at + AT_ONCE]) for at in range(0, len(pictures), AT_ONCE))
    ]
    return np.concatenate(parts)


@cache
def _network() -> "InferenceSession":
    return onnx_session(FEATURES, distribution="ripieno-gan", gpu=False)


def _as_input(rgb: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
    """Of the side that the network was taught at."""
    import cv2

    if rgb.shape[1:3] != (size, size):
        rgb = np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in rgb])
    return np.ascontiguousarray(np.moveaxis(rgb, -1, 1), dtype=np.float32) / np.float32(255)


def kernel_distance(real: NDArray[np.floating], drawn: NDArray[np.floating]) -> float:
    """Squared maximum mean discrepancy of two sets of features by a cubic kernel, without bias (KID).

    Parameters
    ----------
    real, drawn : ndarray [n >= 2, features]

    Returns
    -------
    float
        0 on average where both are of one kind; slightly negative by chance.
    """
    x, y = np.asarray(real, np.float64), np.asarray(drawn, np.float64)

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return (a @ b.T / a.shape[1] + 1) ** 3  # type: ignore[no-any-return]

    def within(a: NDArray[np.float64]) -> float:
        products = kernel(a, a)
        return float((products.sum() - np.trace(products)) / (len(a) * (len(a) - 1)))

    return within(x) + within(y) - 2 * float(kernel(x, y).mean())


def apart(features: NDArray[np.floating]) -> float:
    """Mean distance of two different rows."""
    rows = np.asarray(features, np.float64)
    squares = np.square(rows).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0))
    return float(distances.sum() / (len(rows) * (len(rows) - 1)))


def saturation(pictures: Pictures) -> float:
    """Mean saturation as HSV has it, 0 to 1, in colour."""
    rgb = shown(pictures).astype(np.float32)
    largest = rgb.max(axis=-1)
    return float(((largest - rgb.min(axis=-1)) / np.maximum(largest, 12)).mean())


def chroma(pictures: Pictures) -> float:
    """Mean chroma of OKLab, in colour."""
    lab = oklab(shown(pictures)[:, ::2, ::2] / 255.0)
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def detail(pictures: Pictures) -> dict[str, float]:
    """Mean deviation within each band of `BANDS`."""
    import cv2

    def band(field: NDArray[np.float32], fine: float, coarse: float) -> float:
        sharp = cv2.GaussianBlur(field, (0, 0), fine) if fine else field
        return float((sharp - cv2.GaussianBlur(field, (0, 0), coarse)).std())

    fields = pictures.reshape(-1, *pictures.shape[2:])
    return {
        name: float(np.mean([band(field, *limits) for field in fields])) for name, limits in BANDS.items()
    }


def evenness(ways: NDArray[np.float32]) -> float:
    """How evenly pictures change along interpolations: the mean step by the largest, 1 where all are alike.

    Parameters
    ----------
    ways : ndarray [ways, steps, channels, h, w]
    """
    steps = np.abs(np.diff(ways, axis=1)).mean(axis=(2, 3, 4))
    return float((steps.mean(axis=1) / np.maximum(steps.max(axis=1), 1e-9)).mean())


def compared(real: Pictures, drawn: Pictures) -> dict[str, float]:
    """All figures of drawn pictures beside real ones.

    Parameters
    ----------
    real, drawn : ndarray [n, channels, h, w]
        Of the same channels; the same number, so that palettes fall alike.

    Returns
    -------
    dict
        ``kid``; ``diversity_ratio``; ``saturation_ratio``; ``chroma_ratio``; and a ratio for each band of detail.
    """
    count = min(len(real), len(drawn))
    real, drawn = real[:count], drawn[:count]
    seen, wanted = features_of(drawn), features_of(real)
    return {
        "kid": kernel_distance(wanted, seen),
        "diversity_ratio": apart(seen) / max(apart(wanted), 1e-9),
        "saturation_ratio": saturation(drawn) / max(saturation(real), 1e-9),
        "chroma_ratio": chroma(drawn) / max(chroma(real), 1e-9),
        **_ratios(detail(drawn), detail(real)),
    }


def _ratios(drawn: Mapping[str, float], real: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_ratio": drawn[name] / max(real[name], 1e-9) for name in real}
