"""What is judged and kept of clips, colour and level, and programs within their limits."""

import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ripieno.contracts import Context, StepError
from ripieno_speech_data.clips import ATTEMPTS, Clip, fault_of, keep
from ripieno_speech_data.colour import levelled, rms, tilted
from ripieno_speech_data.processes import run

RATE_HZ = 16000


def tone(hz: float, *, amplitude: float = 0.5, seconds: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(
        np.float32
    )


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (tone(300), ""),
        (np.zeros(RATE_HZ, np.float32), "silent"),
        (tone(300, amplitude=10 ** (-60 / 20)), "silent"),
        (tone(300, amplitude=1.01), "beyond full scale"),
        (np.full(RATE_HZ, np.nan, np.float32), "not finite"),
        (np.zeros(0, np.float32), "silent"),
    ],
)
def test_clips_are_judged_by_what_is_heard(samples, fault):
    assert fault_of(samples, rate_hz=RATE_HZ) == fault


def test_a_sound_shorter_than_a_tenth_of_the_clip_is_silence():
    for share, fault in ((0.05, "silent"), (0.3, "")):
        samples = np.zeros(2 * RATE_HZ, np.float32)
        samples[: round(share * samples.size)] = tone(300, seconds=2 * share)
        assert fault_of(samples, rate_hz=RATE_HZ) == fault


@given(st.floats(-6, 6), st.sampled_from([250, 500, 1000, 2000, 4000]))
def test_a_slope_of_so_many_decibels_an_octave_is_that(tilt_db, hz):
    sound = tone(hz)
    gain_db = 20 * np.log10(rms(tilted(sound, tilt_db=tilt_db, rate_hz=RATE_HZ)) / rms(sound))
    # The rumble filter costs 20 log10(f / (f + 15))^2.
    rumble_db = 40 * np.log10(hz / (hz + 15))
    assert gain_db == pytest.approx(tilt_db * np.log2(hz / 1000) + rumble_db, abs=0.02)


def test_an_offset_is_taken_off():
    assert abs(tilted(tone(500) + 0.3, tilt_db=1, rate_hz=RATE_HZ).mean()) < 1e-9


@given(st.floats(-40, -10))
def test_a_level_is_reached_where_the_peak_allows_it(to_dbfs):
    sound = tone(500, amplitude=0.01)
    reached = levelled(sound, from_rms=rms(sound), to_dbfs=to_dbfs)
    assert 20 * np.log10(rms(reached)) == pytest.approx(to_dbfs, abs=1e-3)


def test_a_peak_is_never_passed():
    sound = np.zeros(1000)
    sound[500] = 0.1
    assert np.abs(levelled(sound, from_rms=rms(sound), to_dbfs=-10)).max() == pytest.approx(0.97, rel=1e-6)


def python(body: str) -> list[str]:
    return [sys.executable, "-c", body]


def test_a_program_that_hangs_is_ended(tmp_path):
    with pytest.raises(StepError, match="was ended after 0 s, its limit"):
        run(python("import time; time.sleep(600)"), writes=tmp_path / "out", limit_s=0.3, most_bytes=1000)
    assert not list(tmp_path.iterdir())


def test_a_program_that_writes_too_much_is_ended(tmp_path):
    endless = "import sys\nwith open('OUT', 'wb', 0) as out:\n while True: out.write(bytes(4096))"
    body = endless.replace("OUT", (tmp_path / "out").as_posix())
    with pytest.raises(StepError, match="was ended at 65536 bytes, its limit"):
        run(python(body), writes=tmp_path / "out", limit_s=60, most_bytes=65536)


def test_what_a_failed_program_said_is_one_line(tmp_path):
    body = "import sys; sys.stderr.write('no\\nsuch\\nvoice'); sys.exit(3)"
    with pytest.raises(StepError, match=r"failed \(exit status 3\): no such voice$"):
        run(python(body), writes=tmp_path / "out", limit_s=60, most_bytes=1000)


def test_a_program_that_is_none_is_named(tmp_path):
    with pytest.raises(StepError, match="none: cannot be started"):
        run([str(tmp_path / "none")], writes=tmp_path / "out", limit_s=60, most_bytes=1000)


def test_a_program_finds_nobodys_settings_in_its_home(tmp_path):
    body = f"import os; open({(tmp_path / 'out').as_posix()!r}, 'w').write(os.environ['HOME'])"
    run(python(body), writes=tmp_path / "out", limit_s=60, most_bytes=1000)
    assert (tmp_path / "out").read_text(encoding="utf-8") == str(tmp_path)


def test_a_folder_that_takes_nothing_is_named(tmp_path):
    (tmp_path / "checkpoint").write_text("not a folder", encoding="utf-8")
    context = Context(tmp_path, tmp_path / "checkpoint")
    job = {"name": "clip", "seed": 1, "first": 0, "count": 1}
    clips = [Clip(tone(300), "train", ())]
    with pytest.raises(StepError, match=r"checkpoint/clip-000000.flac: cannot be written: "):
        keep(job, context, lambda seeds: clips, rate_hz=RATE_HZ)


def test_a_clip_that_is_fit_at_the_last_attempt_is_kept(tmp_path):
    attempts = []

    def make(seeds):
        attempts.append(seeds)
        silent = len(attempts) < ATTEMPTS
        return [Clip(tone(300, amplitude=0 if silent else 0.5), "train", ()) for _ in seeds]

    job = {"name": "clip", "seed": 1, "first": 0, "count": 1}
    [entry] = keep(job, Context(tmp_path, tmp_path), make, rate_hz=RATE_HZ)
    assert entry["clip"]["attempt"] == len(entry["dropped"]) == ATTEMPTS - 1
    assert len({seed for [seed] in attempts}) == ATTEMPTS
