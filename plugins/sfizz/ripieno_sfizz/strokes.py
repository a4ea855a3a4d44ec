"""From planned notes to keys that are pressed, and the pitch that is then to be expected.

Conventions
-----------
A stroke is a key pressed once: a note, and those that are slurred to it by the bend wheel. Loudness 0 to 1
is asked of the samples as `LOUDNESS_DB` decibels, by the velocity that gives them; while a bow sounds, what
loudness changes after the onset is a gain over the stroke, as a controller for expression would be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ripieno.contracts import InputError, SampledTechnique, SampleLibrary
from ripieno.contracts.performance import PITCH, Envelope, Note
from ripieno.toolkit.playing.ability import SLURRED, Ability, Technique
from ripieno.toolkit.playing.gestures import LOUDNESS
from ripieno.toolkit.playing.hands import PEDAL

from .engine import RATE_HZ, Press
from .sfz import Sfz
from .staging import TURNS, takes_turn

LOUDNESS_DB = 24.0
SLURS_ON = ("sustained", "plucked")
"""What the bend wheel can slur: the rest has an end of its own, or is not one tone."""

BOWED_ON = ("sustained", "tremolo")
"""What a bow goes on sounding, as loud as the player wants it at the time."""

_BEND_STEP, _GAIN_STEP = 96, 240
_PEDAL_DOWN = 0.5


@dataclass(frozen=True, eq=False)
class Stroke:
    """A key pressed once.

    Parameters
    ----------
    notes : tuple of Note
        In drive time, their pitch that which the samples are known to sound.
    press : Press
    start : int
        Sample of the clip at which it is pressed.
    gain : ndarray [frames], optional
        Over the sound of the press.
    """

    notes: tuple[Note, ...]
    press: Press
    start: int
    gain: NDArray[np.float32] | None = None

    @property
    def end(self) -> int:
        """Sample of the clip after its last."""
        return self.start + self.press.frames


def ability_of(library: SampleLibrary) -> Ability:
    """What can be asked of the library, for the player."""
    player = library.player
    held = tuple(
        Technique(
            technique.articulation,
            technique.mode,
            technique.share,
            (float(technique.lowest_key), float(technique.highest_key)),
        )
        for technique in library.techniques
    )
    slurs = tuple(Technique(SLURRED, mode, share) for mode, share in player.slurs.items() if share)
    return Ability(
        lowest_midi=library.lowest_key,
        highest_midi=library.highest_key,
        excitation=player.excitation,
        techniques=(*held, *slurs),
        voices=player.voices,
        strings=player.strings,
        fretted=player.fretted,
        portamento=player.portamento,
        vibrato=player.vibrato,
        bends=player.bends,
        pedal=player.pedal,
        vibrato_depth_cents=player.vibrato_depth_cents,
        slur_semitones=player.slur_semitones,
    )


@dataclass(frozen=True)
class Hands:
    """Who presses the keys of a library.

    Parameters
    ----------
    library : SampleLibrary
        Its map.
    sfz : Sfz
        Its SFZ file.
    """

    library: SampleLibrary
    sfz: Sfz

    def strokes(self, voices: Sequence[Sequence[Note]], *, rng: np.random.Generator) -> tuple[Stroke, ...]:
        """The strokes of a clip, in time.

        Parameters
        ----------
        voices : sequence of sequence of Note
            As planned.
        rng : Generator
            Draws which of a round robin is played.

        Raises
        ------
        InputError
            If a note has a technique that the map does not have, or plays nothing.
        """
        pedal = Pedal(tuple(note for voice in voices for note in voice))
        strokes = []
        for voice in voices:
            for notes in self._slurred(voice):
                strokes.append(self._stroke(notes, pedal, turn=int(rng.integers(TURNS))))
        return tuple(sorted(strokes, key=lambda stroke: stroke.start))

    def _slurred(self, voice: Sequence[Note]) -> Iterator[tuple[Note, ...]]:
        """The notes of one voice, those of a stroke together."""
        slurs = self.library.player.excitation != "struck"
        stroke: list[Note] = []
        for note in voice:
            slurred = slurs and bool(stroke) and note.articulation == SLURRED
            if slurred and self._can_slur(stroke[0]):
                stroke.append(note)
                continue
            if stroke:
                yield tuple(stroke)
            stroke = [_attacked(note, like=stroke[0]) if slurred else note]
        if stroke:
            yield tuple(stroke)

    def _can_slur(self, note: Note) -> bool:
        return bool(self.library.pitch_bend_cents) and note.articulation in SLURS_ON

    def _technique(self, note: Note) -> SampledTechnique:
        of_mode = [technique for technique in self.library.techniques if technique.mode == note.mode]
        named = [technique for technique in of_mode if technique.articulation == note.articulation]
        if not of_mode:
            raise InputError(f"the map of {self.library.file} has no technique of mode {note.mode!r}")
        return (named or of_mode)[0]

    def _stroke(self, notes: tuple[Note, ...], pedal: "Pedal", *, turn: int) -> Stroke:
        technique = self._technique(notes[0])
        key = int(np.clip(round(_first(notes[0], PITCH)), technique.lowest_key, technique.highest_key))
        velocity = self._velocity(_first(notes[0], LOUDNESS))
        start = round(notes[0].onset_s * RATE_HZ)
        until_s = pedal.up_after(notes[-1].offset_s)
        press = Press(
            key,
            velocity,
            hold=max(1, round(until_s * RATE_HZ) - start),
            ring=round(technique.release_s * RATE_HZ),
            key_switch=technique.key_switch,
            turn=turn,
            bend=self._bend(notes, key),
        )
        off_cents = self._tuning_cents(technique, key, velocity, turn)
        expected = tuple(self._expected(note, key, off_cents) for note in notes)
        return Stroke(expected, press, start, self._gain(notes, technique, press))

    def _velocity(self, loudness: float) -> int:
        """The velocity at which the samples are that loud, against the loudest."""
        table = self.library.velocity_db or {1: -LOUDNESS_DB, 127: 0.0}
        velocities = np.array(sorted(table), np.float64)
        levels_db = np.maximum.accumulate([table[int(velocity)] for velocity in velocities])
        velocity = np.interp(LOUDNESS_DB * (loudness - 1), levels_db, velocities)
        return int(np.clip(round(float(velocity)), 1, 127))

    def _bend(self, notes: Sequence[Note], key: int) -> tuple[tuple[int, float], ...]:
        """The wheel over the stroke, where it moves."""
        if not self.library.pitch_bend_cents:
            return ()
        start_s, end_s = notes[0].onset_s, notes[-1].offset_s
        at = np.arange(0, max(1, round((end_s - start_s) * RATE_HZ)), _BEND_STEP)
        cents = 100 * (_joined(notes, PITCH, start_s + at / RATE_HZ) - key)
        # As the wheel has it, so that a curve that stands still is one event.
        wheel = np.round(8192 * np.clip(cents / self.library.pitch_bend_cents, -1, 1)) / 8192
        moves = np.append(True, np.diff(wheel) != 0)
        return tuple(zip(at[moves].tolist(), wheel[moves].tolist(), strict=True))

    def _expected(self, note: Note, key: int, off_cents: float) -> Note:
        """The note with the pitch that the sample then sounds, and nothing that the sound does not tell."""
        pitch = note.envelopes[PITCH]
        reach = self.library.pitch_bend_cents / 100
        values = np.clip(pitch.values, key - reach, key + reach) + off_cents / 100
        return replace(note, envelopes={PITCH: replace(pitch, values=values)})

    def _tuning_cents(self, technique: SampledTechnique, key: int, velocity: int, turn: int) -> float:
        regions = self.sfz.playing(key, velocity=velocity, key_switch=technique.key_switch)
        playing = [region for region in regions if takes_turn(region, turn)]
        if not playing:
            switch = "" if technique.key_switch is None else f" after key switch {technique.key_switch}"
            raise InputError(f"{self.sfz.path}: key {key} at velocity {velocity} plays nothing{switch}")
        folder = self.sfz.path.parent
        names = (region.sample.relative_to(folder).as_posix() for region in playing if region.sample)
        return next(
            (self.library.tuning_cents[name] for name in names if name in self.library.tuning_cents), 0.0
        )

    def _gain(
        self, notes: Sequence[Note], technique: SampledTechnique, press: Press
    ) -> NDArray[np.float32] | None:
        if self.library.player.excitation != "bowed" or technique.articulation not in BOWED_ON:
            return None
        at = np.arange(0, press.frames + _GAIN_STEP, _GAIN_STEP)
        change = _joined(notes, LOUDNESS, notes[0].onset_s + at / RATE_HZ) - _first(notes[0], LOUDNESS)
        gain = 10 ** (LOUDNESS_DB * change / 20)
        return np.interp(np.arange(press.frames), at, gain).astype(np.float32)


class Pedal:
    """The sustain pedal over a clip, as the notes that sound tell it.

    Parameters
    ----------
    notes : sequence of Note
        Of all voices; without the channel it is up.
    """

    def __init__(self, notes: Sequence[Note]) -> None:
        curves = [note.envelopes[PEDAL] for note in notes if PEDAL in note.envelopes]
        times_s = np.concatenate([curve.times_s for curve in curves]) if curves else np.zeros(0)
        values = np.concatenate([curve.values for curve in curves]) if curves else np.zeros(0)
        order = np.argsort(times_s, kind="stable")
        self._times_s, self._down = times_s[order], values[order] >= _PEDAL_DOWN

    def up_after(self, time_s: float) -> float:
        """When what is let go of at a time is damped: then, or when the pedal comes up."""
        before = int(np.searchsorted(self._times_s, time_s, side="right"))
        if not before or not self._down[before - 1]:
            return time_s
        up = np.flatnonzero(~self._down[before:])
        return float(self._times_s[before + up[0]] if up.size else self._times_s[-1])


def _attacked(note: Note, *, like: Note) -> Note:
    """A slurred note as one with an attack of its own, and without the glide into it."""
    pitch = note.envelopes[PITCH]
    settled = Envelope(np.array([note.onset_s]), pitch.values[-1:])
    return replace(note, articulation=like.articulation, envelopes={**note.envelopes, PITCH: settled})


def _first(note: Note, channel: str) -> float:
    return float(note.envelopes[channel].values[0])


def _joined(notes: Sequence[Note], channel: str, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A channel over the notes of one stroke, of each until the next begins."""
    values = notes[0].envelopes[channel].at(times_s)
    for note in notes[1:]:
        after = times_s >= note.onset_s
        values[after] = note.envelopes[channel].at(times_s[after])
    return values
