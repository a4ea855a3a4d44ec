"""Performances as standard MIDI files, MPE where this plugin writes them."""

import struct
from pathlib import Path

from pydantic import Field

from ripieno.contracts import Codec, InputError, Performance, PluginConfig

from .documents import reading

# An hour of one player's curves is about half; a message takes a hundred times its bytes in memory.
LARGEST_BYTES = 16 << 20


class MidiConfig(PluginConfig):
    """Settings of `MidiFile`."""

    rate_hz: int = Field(
        48000,
        ge=1,
        description="Sample rate of the recording, for files that do not tell it.",
        json_schema_extra={"unit": "Hz"},
    )


class MidiFile(Codec[MidiConfig]):
    """A performance as ``.mid``: written as MPE, read from any standard MIDI file.

    References
    ----------
    MIDI Association: MIDI Polyphonic Expression, version 1.0, 2018 (M1-100-UM).
    MIDI Association: Standard MIDI Files 1.0, 1996 (RP-001).
    """

    kind, suffixes = Performance, (".mid", ".midi")

    def read(self, path: Path) -> Performance:
        from mido import KeySignatureError, MidiFile as File

        from .midi_reading import performance_of_midi

        with reading(path, "a MIDI file"):
            if path.stat().st_size > LARGEST_BYTES:
                raise InputError(f"more than {LARGEST_BYTES >> 20} MiB: too large for MIDI")
            try:
                file = File(path, clip=True)
            except EOFError as error:
                raise InputError("the file is cut off before its end; copy it again") from error
            except (KeySignatureError, struct.error) as error:
                raise InputError(f"not a MIDI file: {error}") from error
            return performance_of_midi(file, rate_hz=self.config.rate_hz)

    def write(self, artifact: Performance, path: Path) -> None:
        from .midi_writing import midi_of

        midi_of(artifact).save(path)
