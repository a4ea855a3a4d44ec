"""Rooms that are made: the response of a box at one place to a sound at another.

Conventions
-----------
A response is float32 [frames], of unit energy, so that a sound of many frequencies keeps its level. It
begins when the sound leaves its source: the direct path lies where its distance puts it. It is CC0 by
construction.

References
----------
Allen, Berkley: Image method for efficiently simulating small-room acoustics. JASA 65(4), 1979.
Scheibler, Bezzam, Dokmanic: Pyroomacoustics: a Python package for audio room simulation. ICASSP 2018.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .draws import between

SOUND_MPS = 343.0
WALL_M = 0.4
"""Nobody sits nearer to a wall."""
DISTANCE_M = (0.5, 4.0)
MOST_ABSORBING = 0.9
HIGHEST_ORDER = 60


@dataclass(frozen=True)
class RoomShape:
    """A box with a source of sound and a microphone.

    Parameters
    ----------
    size_m, source_m, microphone_m : tuple of three float
        Length, width and height; places from one corner.
    rt60_s : float
        Time in which sound falls by 60 dB, by Sabine's formula.
    """

    size_m: tuple[float, float, float]
    source_m: tuple[float, float, float]
    microphone_m: tuple[float, float, float]
    rt60_s: float

    @property
    def distance_m(self) -> float:
        """From the source to the microphone."""
        return float(np.linalg.norm(np.subtract(self.source_m, self.microphone_m)))

    @property
    def absorption(self) -> float:
        """Share of the energy that the walls keep (Sabine)."""
        size = np.array(self.size_m)
        surface = 2 * (size * np.roll(size, 1)).sum()
        return float(24 * np.log(10) * size.prod() / (SOUND_MPS * surface * self.rt60_s))


@dataclass(frozen=True, eq=False)
class Response:
    """What a room makes of an impulse.

    Parameters
    ----------
    samples : ndarray [frames]
        float32.
    direct_path_s : float
        When the sound that takes the shortest way arrives.
    """

    samples: NDArray[np.float32]
    direct_path_s: float


def draw_room(rng: np.random.Generator, *, rt60_s: tuple[float, float]) -> RoomShape:
    """A room between a closet and a small hall, as dry as its walls allow where `rt60_s` asks for more."""
    size = rng.uniform([3.0, 2.8, 2.3], [9.0, 7.0, 4.0])
    while True:
        source, microphone = rng.uniform(WALL_M, size - WALL_M, size=(2, 3))
        if DISTANCE_M[0] <= np.linalg.norm(source - microphone) <= DISTANCE_M[1]:
            break
    shape = RoomShape(_place(size), _place(source), _place(microphone), between(rng, rt60_s))
    driest_s = shape.rt60_s * shape.absorption / MOST_ABSORBING
    return RoomShape(shape.size_m, shape.source_m, shape.microphone_m, max(shape.rt60_s, driest_s))


def _place(metres: NDArray[np.float64]) -> tuple[float, float, float]:
    length, width, height = (round(float(metre), 3) for metre in metres)
    return length, width, height


@lru_cache(maxsize=64)
def make_room(shape: RoomShape, *, rate_hz: int) -> Response:
    """The response of a room by image sources, cut where it has fallen by 60 dB."""
    import pyroomacoustics

    # Sums of several threads differ in their last bits.
    pyroomacoustics.constants.set("num_threads", 1)
    pyroomacoustics.constants.set("c", SOUND_MPS)
    _, order = pyroomacoustics.inverse_sabine(shape.rt60_s, shape.size_m)
    room = pyroomacoustics.ShoeBox(
        shape.size_m,
        fs=rate_hz,
        materials=pyroomacoustics.Material(shape.absorption),
        max_order=min(order, HIGHEST_ORDER),
    )
    room.add_source(shape.source_m)
    room.add_microphone(shape.microphone_m)
    room.compute_rir()
    # Its interpolation filter is centred: the response begins half a filter early.
    ahead = pyroomacoustics.constants.get("frac_delay_length") // 2
    direct_path_s = shape.distance_m / SOUND_MPS
    stop = ahead + round((direct_path_s + shape.rt60_s) * rate_hz)
    samples = room.rir[0][0][ahead:stop]
    return Response(of_unit_energy(samples), direct_path_s)


def of_unit_energy(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """A response with energy 1, read-only; silence stays what it is."""
    energy = float(np.vdot(samples, samples))
    scaled = (samples / np.sqrt(energy)).astype(np.float32) if energy else samples.astype(np.float32)
    scaled.flags.writeable = False
    return scaled


def find_direct_path(samples: NDArray[np.floating], *, rate_hz: int) -> float:
    """When the direct sound arrives in a measured response, in seconds.

    It is the first peak of at least half the greatest magnitude: a reflection may be louder, but hardly twice
    as loud.
    """
    if not samples.size:
        return 0.0
    magnitudes = np.abs(samples)
    first = int((magnitudes >= magnitudes.max() / 2).argmax())
    falling = np.diff(magnitudes[first:]) <= 0
    peak = first + (int(falling.argmax()) if falling.any() else 0)
    return peak / rate_hz
