"""An MDX-Net stored as ONNX, which turns the spectrogram of a stereo mix into that of one of its parts.

Conventions
-----------
Spectra are complex64 [2, frame, bin], of frames under a periodic Hann window. The network takes and gives planes
[1, 4, bin, frame]: real and imaginary part of the left channel, then of the right one. It hears fewer bins than
there are; those above are silent in what it gives. Where others mirror the sound at the ends of what the network
sees, its frames here are those of the sound itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts.errors import InputError
from ripieno.toolkit.framing import frames, hann, istft
from ripieno.toolkit.onnx import onnx_session, run_network

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

LOWEST_BIN = 3
"""Below it the networks are given silence, as Ultimate Vocal Remover does: an offset does not mislead them."""


@dataclass(frozen=True)
class Geometry:
    """What a network sees at a time.

    Parameters
    ----------
    n_fft : int
        Samples in a frame, even.
    hop : int
        Samples between frames, at most half of `n_fft`.
    dim_f : int
        Bins, 1 to n_fft / 2 + 1.
    dim_t : int
        Frames.

    Raises
    ------
    InputError
        If there is no such network, or nothing is left between the margins.
    """

    n_fft: int
    hop: int
    dim_f: int
    dim_t: int

    def __post_init__(self) -> None:
        if self.n_fft % 2 or not 1 <= self.hop <= self.n_fft // 2:
            raise InputError(f"n_fft is {self.n_fft} and hop {self.hop}: n_fft is even, hop at most its half")
        if not 1 <= self.dim_f <= self.n_fft // 2 + 1:
            raise InputError(
                f"the network hears {self.dim_f} bins, but n_fft {self.n_fft} has {self.n_fft // 2 + 1}: "
                "set the n_fft that it was trained with"
            )
        if self.kept < 1:
            raise InputError(
                f"the network sees {self.dim_t} frames, {self.length} samples: no more than the margins of "
                f"{self.margin} at each end. Set the n_fft and hop that it was trained with"
            )

    @property
    def length(self) -> int:
        """Samples that it sees."""
        return self.n_fft + self.hop * (self.dim_t - 1)

    @property
    def margin(self) -> int:
        """Samples at each end of which the estimate is thrown away: not all of their frames are seen."""
        return self.n_fft

    @property
    def kept(self) -> int:
        """Samples between the margins."""
        return self.length - 2 * self.margin


@dataclass(frozen=True)
class MdxNetwork:
    """A network that is loaded.

    Parameters
    ----------
    geometry : Geometry
    run : callable
        Planes to planes.
    where : str
        The file, for messages.
    """

    geometry: Geometry
    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    where: str

    def estimate(self, spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Spectra of the part that it is for, of the same shape.

        Raises
        ------
        InputError
            If the network gives planes of another shape, or values that are none.
        """
        planes = to_planes(spectra, bins=self.geometry.dim_f)
        estimated = self.run(planes)
        if (estimated.shape, estimated.dtype) != (planes.shape, planes.dtype):
            made = f"{estimated.dtype} {estimated.shape} of {planes.dtype} {planes.shape}"
            raise InputError(f"{self.where}: makes {made}: it is no MDX-Net")
        if not np.isfinite(estimated).all():
            raise InputError(f"{self.where}: gives NaN or infinity: it is damaged. Get it again")
        return from_planes(estimated, bins=spectra.shape[-1])


def load_network(
    path: Path, *, n_fft: int, hop: int, dim_f: int, dim_t: int, threads: int = 1, gpu: bool = False
) -> MdxNetwork:
    """Load a network.

    Parameters
    ----------
    path : Path
        An ``.onnx`` file.
    n_fft, hop : int
        As it was trained; the file does not say them.
    dim_f, dim_t : int
        Bins and frames, where the file leaves them open.
    threads, gpu
        As `onnx_session` takes them.

    Raises
    ------
    MissingError
        If onnxruntime is not installed.
    InputError
        If the file is no MDX-Net, or does not go with `n_fft` and `hop`.
    """
    session = onnx_session(path, distribution="ripieno-mdx-net", threads=threads, gpu=gpu)
    name, shape = _input(session, path)
    try:
        geometry = Geometry(n_fft, hop, _stated(shape[2], dim_f), _stated(shape[3], dim_t))
    except InputError as cause:
        raise InputError(f"{path}: {cause}") from cause

    def run(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        return run_network(session, path, {name: planes})[0]

    return MdxNetwork(geometry, run, str(path))


def _input(session: "InferenceSession", path: Path) -> tuple[str, list[Any]]:
    """Name and shape of what a network takes; a dimension is a number, or a name where it is open."""
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    if len(shape) != 4 or _stated(shape[1], 4) != 4:
        taken = ", ".join(str(one.shape) for one in inputs)
        raise InputError(f"{path}: takes {taken}. An MDX-Net takes one input, [1, 4, bins, frames]")
    return inputs[0].name, shape


def _stated(size: Any, otherwise: int) -> int:
    """A dimension of a network where it is a number."""
    return size if isinstance(size, int) else otherwise


def spectra_of(samples: NDArray[np.float32], geometry: Geometry) -> NDArray[np.complex64]:
    """Spectra [2, dim_t, n_fft / 2 + 1] of the samples [2, length] that a network sees."""
    cut = frames(samples, window=geometry.n_fft, hop=geometry.hop, centred=False)
    return np.fft.rfft(cut * hann(geometry.n_fft).astype(np.float32), axis=-1).astype(np.complex64)


def samples_of(spectra: NDArray[np.complex64], geometry: Geometry) -> NDArray[np.float32]:
    """The samples [2, kept] between the margins whose spectra are nearest to these."""
    half = geometry.n_fft // 2
    between_centres = geometry.hop * (geometry.dim_t - 1)
    samples = istft(spectra, window=geometry.n_fft, hop=geometry.hop, length=between_centres)
    kept: NDArray[np.float32] = samples[:, half : half + geometry.kept]
    return kept


def to_planes(spectra: NDArray[np.complex64], *, bins: int) -> NDArray[np.float32]:
    """The lowest `bins` of spectra as planes [1, 4, bins, frame]; what is below `LOWEST_BIN` is 0."""
    heard = spectra[..., :bins].swapaxes(1, 2).copy()
    heard[:, :LOWEST_BIN] = 0
    parts = np.stack([heard.real, heard.imag], axis=1)
    return np.ascontiguousarray(parts.reshape(1, 4, *heard.shape[1:]), np.float32)


def from_planes(planes: NDArray[np.float32], *, bins: int) -> NDArray[np.complex64]:
    """Spectra [2, frame, bins] of planes [1, 4, bin, frame]; bins that the planes lack are 0."""
    parts = planes.reshape(2, 2, *planes.shape[2:]).swapaxes(2, 3)
    spectra = np.zeros((2, parts.shape[2], bins), np.complex64)
    spectra[..., : parts.shape[3]].real = parts[:, 0]
    spectra[..., : parts.shape[3]].imag = parts[:, 1]
    return spectra
