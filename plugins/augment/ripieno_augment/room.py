"""Sound in a room."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, Augmenter, Example

from .bank import BankConfig, bank_files, bank_of, required_bank
from .draws import Range
from .labels import credited, delayed
from .levels import reshaped
from .rooms import Response, RoomShape, draw_room, make_room


class PutInRoomConfig(BankConfig):
    """Settings of `PutInRoom`."""

    rt60_s: Range = Field(
        (0.15, 0.8),
        description="Reverberation time of rooms that are made.",
        json_schema_extra={"unit": "s"},
    )
    rooms: int = Field(
        16, ge=1, description="How many different rooms are made; each costs a tenth of a second, once."
    )


@dataclass(frozen=True)
class RoomDraw:
    """What was drawn for one use of `PutInRoom`.

    Parameters
    ----------
    asset : str
        Name of the room in the bank; empty where it is made.
    shape : RoomShape or None
        Of the room that is made.
    """

    asset: str = ""
    shape: RoomShape | None = None


class PutInRoom(Augmenter[PutInRoomConfig]):
    """The sound as a microphone in a room hears it: convolved with a response of unit energy.

    The sound comes later by the way from the source to the microphone, and so do the labels, in an example of
    the same length; what then lies beyond its end is cut off. Then they follow the shape of the whole sound
    (`levels.reshaped`).
    """

    @classmethod
    def assets(cls, config: PutInRoomConfig) -> tuple[Path, ...]:
        return bank_files(config, "room")

    def draw(self, rng: np.random.Generator) -> RoomDraw:
        bank = bank_of(self.config)
        if bank is None:
            own = np.random.default_rng(int(rng.integers(self.config.rooms)))
            return RoomDraw(shape=draw_room(own, rt60_s=self.config.rt60_s))
        names = [entry.name for entry in bank.of_kind("room")]
        return RoomDraw(asset=names[rng.integers(len(names))])

    def apply(self, example: Example, draw: RoomDraw) -> Example:
        audio, performance = example.audio, example.performance
        response = self._response(draw, audio.rate_hz)
        if not audio.frames:
            return example
        wet = convolved(audio.samples, response.samples)
        late = round(response.direct_path_s * audio.rate_hz)
        dry = np.pad(audio.samples, ((0, 0), (late, 0)))[:, : audio.frames]
        performance = delayed(performance, response.direct_path_s)
        performance = reshaped(performance, dry, wet, rate_hz=audio.rate_hz)
        if draw.asset:
            used = required_bank(self.config, draw.asset).named(draw.asset)
            performance = credited(performance, [used.terms])
        return Example(Audio(wet, audio.rate_hz), performance)

    def _response(self, draw: RoomDraw, rate_hz: int) -> Response:
        if draw.shape is None:
            return required_bank(self.config, draw.asset).room(draw.asset, rate_hz=rate_hz)
        return make_room(draw.shape, rate_hz=rate_hz)


def convolved(samples: NDArray[np.float32], response: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples [channels, frames] through a response [taps], of the length they had."""
    from scipy import fft

    frames = samples.shape[1]
    size = fft.next_fast_len(frames + response.size - 1, real=True)
    spectrum = fft.rfft(samples, size) * fft.rfft(response, size)
    wet: NDArray[np.float32] = fft.irfft(spectrum, size)[:, :frames]
    return wet
