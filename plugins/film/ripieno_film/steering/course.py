"""The course of a film: coefficients of one frame after the other, chunk by chunk.

Conventions
-----------
Chunks come in order, since what eases looks back; the same frames come out however they are cut. Nothing
is kept but the state of the last frame: a course of any length takes the memory of a chunk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ripieno.toolkit.latents import columns

from .easing import Follower, Glide, shares_of
from .pulses import Frames, phase_of
from .settings import Mood, Motion
from .sound import Array, Sound
from .waves import Waves

ATTACK_S, RELEASE_S = 0.08, 0.6
KICK_S = 0.3


@dataclass(frozen=True, eq=False)
class Heard:
    """What is known of a piece, at the frames of its film.

    Attributes
    ----------
    sound : Sound
        Of the whole.
    drums, vocals : Sound or None
        Of stems.
    pulses : ndarray
        Frames on which pulses fall, as `pulse_frames` gives them; empty where no beats are known.
    moods : ndarray [frames]
        The number of the mood in each.
    """

    sound: Sound
    drums: Sound | None
    vocals: Sound | None
    pulses: Frames
    moods: NDArray[np.int64]


class Course:
    """Coefficients of the frames of a film, in order.

    Parameters
    ----------
    heard : Heard
        The music.
    projection : ndarray [anchors, features]
        What each anchor answers to.
    features : sequence of str
        Names of these features.
    motion : Motion
        How the picture moves.
    moods : sequence of Mood
        At least one.
    axes : int
        Along how many axes of the generator it wanders.
    rng : Generator
        Draws the slow noise and the ways of the drift.
    """

    def __init__(
        self,
        heard: Heard,
        *,
        projection: NDArray[np.float32],
        features: Sequence[str],
        motion: Motion,
        moods: Sequence[Mood],
        axes: int,
        rng: Generator,
    ) -> None:
        self.heard, self.motion, self.axes, self.fps = heard, motion, axes, heard.sound.fps
        self.projection = projection.astype(np.float64) * motion.features
        self.names = columns(anchors=len(projection), axes=axes)
        self._features = [heard.sound.column(name) for name in features]
        self._timbre = [heard.sound.column(name) for name in timbre_names(motion, axes)]
        self._leads = np.array([_lead(mood, len(projection)) * motion.lead for mood in moods])
        self._hues, self._speeds = np.array([[mood.hue, mood.speed] for mood in moods]).T
        self._roam, self._wander = Waves(len(projection), rng=rng), Waves(axes, rng=rng)
        self._way, self._heading = Waves(1, rng=rng), rng.uniform(0, 2 * np.pi)
        self._energy = Follower(rise_s=ATTACK_S, fall_s=RELEASE_S, fps=self.fps)
        self._kick = Follower(rise_s=0, fall_s=KICK_S, fps=self.fps)
        self._flash = Follower(rise_s=0, fall_s=motion.flash_s, fps=self.fps)
        self._nearness = Follower(rise_s=2.0, fall_s=3.0, fps=self.fps)
        self._glide = Glide()
        self._clock, self._drift = np.zeros(1), np.zeros((1, 2))

    def rows(self, first: int, last: int) -> NDArray[np.float32]:
        """Coefficients [frames, names] of frames `first` to before `last`; `first` is where it was left."""
        motion, sound = self.motion, self.heard.sound
        at, sounding = sound.at(first, last), sound.sounding(first, last)
        energy = self._energy.follow(sound.loudness(at, sounding))
        struck = self.heard.drums or sound
        onsets = struck.onsets(first, last)
        flash = self._flash.follow(onsets)
        beat, pulse = self._beat(first, last, onsets, sounding)
        moods = self.heard.moods[first:last]
        drive = np.maximum(energy, flash)
        shares = shares_of(motion.smoothing_s * (1 - motion.ease * drive), fps=self.fps)
        glided = self._glide.follow(self._wanted(at, moods, first, last), shares)
        anchors = len(self.projection)
        logits, timbre = glided[:, :anchors], glided[:, anchors : anchors + self.axes]
        hue, speed, brightness = glided[:, anchors + self.axes :].T
        rate = speed * motion.speed * (1 + motion.liveliness * (2 * energy - 1)) * beat
        clock, drift = self._moved(rate)
        logits = logits + motion.roam * self._roam.at(clock / motion.wander_s)
        noise = self._wander.at(clock / (1.3 * motion.wander_s))
        share = motion.timbre if self._timbre else 0.0
        minutes = np.arange(first, last) / (60 * self.fps)
        parts = (
            softmax(logits / motion.temperature),
            np.clip((1 - share) * noise + share * np.tanh(timbre), -1, 1),
            drift,
            hue + motion.hue_drift * minutes + motion.colour * brightness,
            np.clip(energy, 0, 1),
            pulse,
            np.clip(motion.flash * flash, 0, 1),
            1 + motion.zoom * self._nearness.follow(energy) + motion.zoom_kick * pulse,
        )
        return np.column_stack(parts).astype(np.float32)

    def _beat(self, first: int, last: int, onsets: Array, sounding: Array) -> tuple[Array, Array]:
        """By how much the motion is faster than on average, and the pulse; by onsets where no beats are."""
        motion = self.motion
        struck = self._kick.follow(onsets)
        if not len(self.heard.pulses):
            return 1 - motion.sync / 3 + motion.sync * struck, struck
        left = 1 - phase_of(self.heard.pulses, first, last)
        # Its mean over a beat is 1, so that the picture goes as far with or without beats.
        step = 3 * left**2
        pulse = left**motion.decay * sounding
        if self.heard.drums is not None:
            drums = self.heard.drums
            beaten = drums.loudness(drums.at(first, last), drums.sounding(first, last))
            pulse = pulse * np.clip(2 * beaten, 0, 1)
        return (1 - motion.sync) + motion.sync * step, pulse

    def _wanted(self, at: Array, moods: NDArray[np.int64], first: int, last: int) -> Array:
        """Where all that glides would settle: anchors, timbre, and hue, speed, brightness."""
        logits = self._leads[moods]
        for index, column in enumerate(self._features):
            logits = logits + at[:, column : column + 1] * self.projection[:, index]
        timbre = np.zeros((len(at), self.axes))
        timbre[:, : len(self._timbre)] = at[:, self._timbre] / 1.5
        return np.column_stack(
            [logits, timbre, self._hues[moods], self._speeds[moods], self._brightness(at, first, last)]
        )

    def _brightness(self, at: Array, first: int, last: int) -> Array:
        """What turns the colour: the voice where it is given alone, else how bright the sound is; -1..1."""
        vocals = self.heard.vocals
        if vocals is None:
            sound = self.heard.sound
            return np.tanh(at[:, sound.column("centroid_hz")] / 1.5)
        return vocals.loudness(vocals.at(first, last), vocals.sounding(first, last))

    def _moved(self, rate: Array) -> tuple[Array, Array]:
        """Clock of the noise and place of the drift in each frame, for how fast each goes."""
        steps = np.maximum(rate, 0) / self.fps
        # From the sum so far on, one after the other: sums of parts would differ in their last bits.
        clock = np.add.accumulate(np.concatenate([self._clock, steps]))
        heading = self._heading + np.pi * self._way.at(clock[:-1] / (4 * self.motion.wander_s))[:, 0]
        ways = np.column_stack([np.cos(heading), np.sin(heading)]) * (self.motion.drift * steps)[:, None]
        drift = np.add.accumulate(np.concatenate([self._drift, ways]))
        self._clock, self._drift = clock[-1:], drift[-1:]
        return clock[:-1], drift[:-1]


def timbre_names(motion: Motion, axes: int) -> tuple[str, ...]:
    """The MFCC that move the picture along axes; the first, which is loudness, is none of them."""
    return tuple(f"mfcc_{index}" for index in range(1, axes + 1)) if motion.timbre else ()


def softmax(logits: Array) -> Array:
    """Weights [frames, anchors] that sum to 1."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _lead(mood: Mood, anchors: int) -> Array:
    """1 for each anchor that a mood favours."""
    lead = np.zeros(anchors)
    lead[[place for place in mood.lead if place < anchors]] = 1
    return lead
