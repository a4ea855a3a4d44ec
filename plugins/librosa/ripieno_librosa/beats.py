"""Beats by dynamic programming over the onset strength."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ripieno.contracts import Audio, AudioSpec, BeatClock, Beats, BeatTracker, PluginConfig, Tracked

from .formats import require_format
from .library import load_librosa
from .threads import one_thread

RATE_HZ = 22050
HOP = 256
# Half of librosa's window, and no centring of its own: beats fall within milliseconds of the attacks.
WINDOW = 1024
MEL_BANDS = 64
SHORTEST_S = 1.0


class BeatsConfig(PluginConfig):
    """Settings of `LibrosaBeats`."""

    start_bpm: float = Field(
        120.0,
        ge=30,
        le=300,
        description="Tempo that is expected, where the music leaves a choice.",
        json_schema_extra={"unit": "BPM"},
    )
    tightness: float = Field(
        100.0,
        gt=0,
        description="How closely the beats keep to one tempo.",
    )
    clock_rate_hz: float = Field(
        50.0, gt=0, description="Frames of the beat clock.", json_schema_extra={"unit": "Hz"}
    )


class LibrosaBeats(BeatTracker[BeatsConfig]):
    """Beats of music with a steady tempo; their places in the bar stay unknown.

    References
    ----------
    Ellis: Beat tracking by dynamic programming. Journal of New Music Research 36(1), 2007.
    """

    accepts = {"audio": AudioSpec(rate_hz=RATE_HZ, channels=1)}
    whole_file = True

    def track(self, audio: Audio) -> Tracked:
        """Beats and clock of the audio.

        Parameters
        ----------
        audio : Audio
            22050 Hz, mono.

        Returns
        -------
        Tracked
            Beats whose confidence is the onset strength there, the strongest beat being 1; none in silence
            or in less than a second.

        Raises
        ------
        InputError
            If rate or channels are others.
        """
        require_format(audio, self.accepts["audio"])
        beats = Beats(np.zeros(0))
        if audio.duration_s >= SHORTEST_S:
            with one_thread():
                beats = find_beats(audio.samples[0], self.config)
        clock = BeatClock.from_beats(beats, rate_hz=self.config.clock_rate_hz, duration_s=audio.duration_s)
        return Tracked(beats, clock)


def find_beats(samples: NDArray[np.float32], config: BeatsConfig) -> Beats:
    """The beats of samples [frames] at `RATE_HZ`."""
    librosa = load_librosa()

    strength = librosa.onset.onset_strength(
        y=samples, sr=RATE_HZ, hop_length=HOP, n_fft=WINDOW, n_mels=MEL_BANDS, center=False
    )
    # Trimming would drop a quiet introduction with its weak beats.
    _, beats = librosa.beat.beat_track(
        onset_envelope=strength,
        sr=RATE_HZ,
        hop_length=HOP,
        start_bpm=config.start_bpm,
        tightness=config.tightness,
        trim=False,
    )
    beats = beats[beats * HOP < len(samples)]
    strongest = strength[beats].max(initial=0)
    confidence = strength[beats] / (strongest or 1)
    return Beats(beats * HOP / RATE_HZ, confidence=confidence)
