"""What joiner/mask_fusion and joiner/wiener make of imperfect separators: SI-SDR improvement in dB.

    python plugins/mastering/measure/joiners.py fusion|wiener [held-out]

Speech and music of RIPIENO_DATA (or ../shared/data), mixed at 0 dB at 16 kHz, are separated by masks of the
true spectra, spoilt in ways in which separators fail: errors of the level difference that are smooth over time
and frequency, music that leaks through, speech that is lost, a rest that is not in phase with the mixture.
"""

import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ripieno.contracts import Audio
from ripieno.toolkit.distortion import si_sdr_db
from ripieno.toolkit.framing import istft, stft
from ripieno_mastering.fusion import MaskFusion, MaskFusionConfig
from ripieno_mastering.wiener import Wiener, WienerConfig

DATA = Path(os.environ.get("RIPIENO_DATA", Path(__file__).parents[3] / "../shared/data"))
RATE_HZ = 16_000
CLIP_S = 7.0
CLIPS = {
    "chosen-by": (
        ("LJ001-0003.wav", "LJ001-0010.wav", "LJ001-0012.wav", "LJ050-0131.wav"),
        (
            "naev_automat.ogg",
            "naev_sirius1.ogg",
            "kevin_macleod_sugar_plum_fairy.ogg",
            "karissa_hobbs_lets_go_fishin.ogg",
        ),
    ),
    "held-out": (
        (
            "librispeech_198-209-0000.ogg",
            "librispeech_3436-172162-0000.ogg",
            "librispeech_5703-47212-0000.ogg",
            "jfk_inaugural.wav",
        ),
        (
            "brahms_hungarian_dance_5_strings.ogg",
            "kevin_macleod_vibe_ace.ogg",
            "naev_empire1.ogg",
            "zeropage_ambiphonic.ogg",
        ),
    ),
}
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Separator:
    """How a separator fails.

    Parameters
    ----------
    error_db : float
        Standard deviation of the error in the level of speech over music.
    shared : float
        Part of that error's power which the other separator makes too.
    leak, keep : float
        Gain of music alone and of speech alone.
    window : int
        Samples of its transform.
    out_of_phase : float
        Level of an error like the speech in spectrum, but of random phase, relative to the speech.
    """

    error_db: float = 8.0
    shared: float = 0.0
    leak: float = 0.0
    keep: float = 1.0
    window: int = 1024
    out_of_phase: float = 0.0

    def separate(self, speech: Samples, music: Samples, *, seed: int) -> Samples:
        """Its estimate of the speech."""
        layout = {"window": self.window, "hop": self.window // 4}
        voice, rest = stft(speech, **layout), stft(music, **layout)
        own, shared = (_field(voice.shape, seed=draw) for draw in (seed, 0))
        error_db = self.error_db * (np.sqrt(self.shared) * shared + np.sqrt(1 - self.shared) * own)
        level_db = 20 * np.log10((np.abs(voice) + 1e-9) / (np.abs(rest) + 1e-9)) + error_db
        # What a network learns: the mean of the Wiener mask over its own errors (MacKay's approximation).
        doubt = np.sqrt(1 + np.pi / 8 * (self.error_db * np.log(10) / 10) ** 2)
        mask = self.leak + (self.keep - self.leak) / (1 + 10 ** (-level_db / 10 / doubt))
        rng = np.random.default_rng(seed)
        noise = self.out_of_phase * np.abs(voice) * np.exp(2j * np.pi * rng.uniform(size=voice.shape))
        return istft(mask * (voice + rest) + noise, **layout, length=len(speech))


PAIRS = {
    "alike": (Separator(), Separator(window=2048)),
    "half their errors shared": (Separator(shared=0.5), Separator(shared=0.5)),
    "one better": (Separator(error_db=4), Separator(error_db=12, window=2048)),
    "one leaks": (Separator(), Separator(leak=0.3, window=2048)),
    "both leak": (Separator(leak=0.2), Separator(leak=0.2, window=2048)),
    "one loses speech": (Separator(), Separator(keep=0.6, window=2048)),
    "both lose speech": (Separator(keep=0.7), Separator(keep=0.7, window=2048)),
    "out of phase": (Separator(out_of_phase=0.3), Separator(out_of_phase=0.3, window=2048)),
}
Estimate = Callable[[Audio, list[Audio]], Audio]


def mixtures(clips: str) -> Iterator[tuple[Samples, Samples]]:
    """Speech and music of equal energy."""
    for voice, song in product(*CLIPS[clips]):
        speech, music = _clip(f"speech/{voice}", start_s=0.5), _clip(f"music/{song}", start_s=20)
        yield speech, music * np.sqrt(np.sum(speech**2) / np.sum(music**2))


def improvements_db(ways: dict[str, Estimate], *, clips: str) -> dict[str, dict[str, float]]:
    """Mean improvement of each way to join, by pair of separators."""
    table = {}
    for name, pair in PAIRS.items():
        found: dict[str, list[float]] = {way: [] for way in ways}
        for speech, music in mixtures(clips):
            mixture = Audio(speech + music, RATE_HZ)
            estimates = [
                Audio(one.separate(speech, music, seed=seed), RATE_HZ)
                for seed, one in enumerate(pair, start=1)
            ]
            before = si_sdr_db(mixture.samples, speech[None])
            for way, estimate in ways.items():
                after = si_sdr_db(estimate(mixture, estimates).samples, speech[None])
                found[way].append(after - before)
        table[name] = {way: float(np.mean(values)) for way, values in found.items()}
    return table


def fusion(**settings: object) -> Estimate:
    """`joiner/mask_fusion` with these settings."""
    joiner = MaskFusion(MaskFusionConfig(**settings))
    return lambda mixture, estimates: joiner.join(mixture, estimates)


def wiener(**settings: object) -> Estimate:
    """`joiner/wiener` with these settings, on the first estimate."""
    joiner = Wiener(WienerConfig(**settings))
    return lambda mixture, estimates: joiner.join(mixture, estimates[0])


def wiener_on_the_estimate(*, beta: float) -> Estimate:
    """The same gain, applied to the first estimate and not to the mixture."""
    layout = {"window": 1024, "hop": 256}

    def join(mixture: Audio, estimates: list[Audio]) -> Audio:
        whole, part = (stft(audio.samples, **layout) for audio in (mixture, estimates[0]))
        power, rest = np.square(np.abs(part)), np.square(np.abs(whole - part))
        gain = np.maximum(power / np.maximum(power + beta * rest, 1e-30), 0.02)
        return Audio(istft(gain * part, **layout, length=mixture.frames), RATE_HZ)

    return join


def alone(number: int) -> Estimate:
    """An estimate as it is."""
    return lambda mixture, estimates: estimates[number]


RULES = ("max", "mean", "geometric_mean", "min", "product")
FUSIONS = {
    "first alone": alone(0),
    "second alone": alone(1),
    **{
        f"{rule}, exponent {exponent:g}": fusion(rule=rule, exponent=exponent)
        for exponent in (1.0, 2.0)
        for rule in RULES
    },
    "the default": fusion(),
    "the default, 96 ms": fusion(window_ms=96.0),
    "the default, smoothed 20 ms": fusion(smooth_ms=20.0),
    "the default, smoothed 20 Hz": fusion(smooth_hz=20.0),
}
WIENERS = {
    "the estimate": alone(0),
    **{f"beta {beta:g}": wiener(beta=beta) for beta in (0.5, 1.0, 1.5)},
    **{f"beta {beta:g} on the estimate": wiener_on_the_estimate(beta=beta) for beta in (0.25, 1.0)},
    "beta 1, floor 0.1": wiener(floor=0.1),
    "beta 1, smoothed 30 ms": wiener(smooth_ms=30.0),
}


def show(ways: dict[str, Estimate], *, clips: str) -> None:
    """Print the table: a row for each way, a column for each pair, their mean last."""
    table = improvements_db(ways, clips=clips)
    print(" | ".join(["way", *table, "mean"]))
    for way in ways:
        row = [column[way] for column in table.values()]
        print(" | ".join([way, *(f"{value:.2f}" for value in [*row, np.mean(row)])]))


def _clip(name: str, *, start_s: float) -> Samples:
    samples, rate_hz = soundfile.read(DATA / name, always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)
    start = int(start_s * RATE_HZ)
    return mono[start : start + int(CLIP_S * RATE_HZ)]


def _field(shape: tuple[int, ...], *, seed: int) -> Samples:
    """Gaussian noise of unit variance, smooth over three frames and three bins."""
    field = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1.5)
    return field / field.std()


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    tables = {"fusion": FUSIONS, "wiener": WIENERS}
    parser.add_argument("table", choices=tables)
    parser.add_argument("clips", choices=CLIPS, nargs="?", default="chosen-by", help="default: %(default)s")
    asked = parser.parse_args()
    show(tables[asked.table], clips=asked.clips)
