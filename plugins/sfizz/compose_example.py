"""Compose the samples of ``sample_library/example_piano``: ``python compose_example.py ripieno_sfizz/example_piano``.

Struck stiff strings by formula, so that sampled data can be made where no library is at hand: partials of a
string whose stiffness stretches them, each with the strength that the hammer's place gives it, decaying the
faster the higher it is. Two layers, soft and hard. The same bytes every time; CC0-1.0.

References
----------
Fletcher, Blackham, Stratton: Quality of piano tones. J. Acoust. Soc. Am. 34(6), 1962.
"""

import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE_HZ = 24000
LENGTH_S = 2.2
KEYS = range(38, 87, 6)
HAMMER = 0.12
LAYERS = (("soft", 1, 90, 2.4), ("hard", 91, 127, 1.5))
"""Name, lowest and highest velocity, and how steeply partials fall, in powers of their number."""
HEAD = """// Struck strings by formula. CC0-1.0.
<control>
hint_ram_based=1
<global>
ampeg_release=0.4
amp_veltrack=90
"""


def strike(key: int, *, fall: float) -> NDArray[np.float64]:
    """One note, [frames], peak 0.5."""
    times_s = np.arange(int(LENGTH_S * RATE_HZ)) / RATE_HZ
    f0_hz = 440 * 2 ** ((key - 69) / 12)
    stiffness = 2e-4 * 2 ** ((key - 60) / 18)
    rng = np.random.default_rng(key)
    sound = np.zeros_like(times_s)
    for number in range(1, 41):
        frequency_hz = number * f0_hz * np.sqrt((1 + stiffness * number**2) / (1 + stiffness))
        if frequency_hz > 0.45 * RATE_HZ:
            break
        strength = abs(np.sin(np.pi * number * HAMMER)) / number**fall
        decay_s = 2.2 * (220 / f0_hz) ** 0.4 / (1 + 0.12 * number)
        phase = rng.uniform(0, 2 * np.pi)
        sound += strength * np.exp(-times_s / decay_s) * np.sin(2 * np.pi * frequency_hz * times_s + phase)
    fade = np.minimum(1, np.minimum(times_s / 0.002, (LENGTH_S - times_s) / 0.1))
    return 0.5 * sound * fade / np.abs(sound).max()


def main(folder: Path) -> None:
    """Write ``piano.sfz`` and its samples."""
    folder.mkdir(parents=True, exist_ok=True)
    regions = []
    for key in KEYS:
        for name, lowest, highest, fall in LAYERS:
            file = f"{name}-{key}.flac"
            soundfile.write(folder / file, strike(key, fall=fall), RATE_HZ, subtype="PCM_16")
            keys = f"lokey={key - 3} hikey={key + 2} pitch_keycenter={key}"
            regions.append(f"<region> sample={file} {keys} lovel={lowest} hivel={highest}\n")
    (folder / "piano.sfz").write_text(HEAD + "".join(regions), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
