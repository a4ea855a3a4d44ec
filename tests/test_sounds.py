"""Files of sound of every kind, and of none, through a graph with adapters."""

import numpy as np
import pytest
import soundfile

TONE = """
inputs:
  songs: {kind: audio, path: "songs/*"}
steps:
  phone: {uses: effect/telephone, in: {audio: songs}}
  soft: {uses: effect/gain, in: {audio: songs}, with: {gain: 0.5}}
  halves: {uses: separator/halves, in: {audio: soft}}
  loud: {uses: effect/gain, in: {audio: halves.loud}}
outputs:
  phone: phone/{item}.wav
  soft: soft/{item}.wav
  halves: halves/{item}
  loud: loud/{item}.wav
"""


def tone(frames: int, channels: int, rate_hz: int) -> np.ndarray:
    """A tone of 100 Hz at -6 dB [frames, channels]."""
    wave = 0.5 * np.sin(2 * np.pi * 100 * np.arange(frames) / rate_hz)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def test_rates_and_channels_of_all_kinds_pass_through_adapters(bench):
    shapes = {
        "a8": (8000, 1, 8000), "b192": (19200, 2, 192_000), "c8ch": (4410, 8, 44_100),
        "d16": (1600, 1, 16_000), "e1": (1, 1, 44_100), "f0": (0, 2, 44_100), "g1": (1, 1, 16_000),
    }  # fmt: skip
    (bench.folder / "songs").mkdir()
    for name, (frames, channels, rate_hz) in shapes.items():
        soundfile.write(bench.folder / f"songs/{name}.wav", tone(frames, channels, rate_hz), rate_hz, "FLOAT")
    ran = bench.run(bench.pipeline(TONE), "--jobs", 2)
    for name, (frames, channels, rate_hz) in shapes.items():
        phone, phone_hz = soundfile.read(ran.folder / f"phone/{name}.wav", always_2d=True)
        assert (phone_hz, phone.shape) == (16_000, (-(-frames * 16_000 // rate_hz), 1))
        soft, soft_hz = soundfile.read(ran.folder / f"soft/{name}.wav", always_2d=True, dtype="float32")
        assert soft_hz == rate_hz
        np.testing.assert_array_equal(soft, tone(frames, channels, rate_hz) * np.float32(0.5))
        parts = [
            soundfile.read(ran.folder / f"halves/{name}/{part}.wav", always_2d=True, dtype="float32")[0]
            for part in ("loud", "soft")
        ]
        np.testing.assert_allclose(sum(parts), soft, atol=1e-7)
        loud, _ = soundfile.read(ran.folder / f"loud/{name}.wav", always_2d=True, dtype="float32")
        np.testing.assert_array_equal(loud, parts[0])
    again = bench.run(bench.pipeline(TONE), "--jobs", 1, "--force")
    assert again.digests == ran.digests


def test_a_stem_that_comes_out_the_same_stops_the_wave(bench):
    (bench.folder / "songs").mkdir()
    soundfile.write(bench.folder / "songs/a.wav", tone(800, 1, 8000) * 0.1, 8000, "FLOAT")
    bench.run(bench.pipeline(TONE))
    ran = bench.run(bench.pipeline(TONE), "--set", "soft.gain=0.4")
    # The loud half is silent in both: what takes it alone is not done again.
    assert ran.status("halves", "a") == "done" and ran.status("loud", "a") == "cached"


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_what_is_no_sound_fails_its_item_with_one_line(bench, kind):
    songs = bench.folder / "songs"
    songs.mkdir()
    rng = np.random.default_rng(0)
    soundfile.write(songs / f"good.{kind}", tone(8000, 1, 8000), 8000)
    whole = (songs / f"good.{kind}").read_bytes()
    (songs / f"empty.{kind}").write_bytes(b"")
    (songs / f"noise.{kind}").write_bytes(rng.bytes(5000))
    (songs / f"words.{kind}").write_bytes(b"This is a letter, not a song. " * 50)
    (songs / f"header.{kind}").write_bytes(whole[:20])
    ran = bench.run(bench.pipeline(TONE), "--jobs", 2, "--only", "soft", code=1)
    states = ran.statuses("songs")
    assert states.pop("good") == "done" and set(states.values()) == {"failed"}
    for name in states:
        assert f"{name}.{kind}" in ran.error("songs", name)
    assert "Traceback" not in ran.messages
    assert ran.statuses("soft") == {"good": "done", **dict.fromkeys(states, "skipped")}


def test_a_sound_that_ends_too_early_is_said_or_read_as_far_as_it_goes(bench):
    songs = bench.folder / "songs"
    songs.mkdir()
    soundfile.write(songs / "a.wav", tone(8000, 1, 8000), 8000, "FLOAT")
    whole = (songs / "a.wav").read_bytes()
    (songs / "a.wav").write_bytes(whole[: len(whole) // 2])
    done = bench.core("run", bench.pipeline(TONE), "--only", "soft", code=1)
    assert "a.wav" in done.stderr and "Traceback" not in done.stderr


def test_a_sound_that_is_not_finite_is_refused_by_name(bench):
    songs = bench.folder / "songs"
    songs.mkdir()
    for name, value in {"nan": np.nan, "inf": np.inf}.items():
        samples = tone(800, 1, 8000)
        samples[400] = value
        soundfile.write(songs / f"{name}.wav", samples, 8000, "FLOAT")
    ran = bench.run(bench.pipeline(TONE), "--only", "soft", code=1)
    for name in ("nan", "inf"):
        assert f"{name}.wav" in ran.error("songs", name)
    assert "Traceback" not in ran.messages


def test_a_sound_by_another_name_is_read_by_its_content_or_refused(bench):
    songs = bench.folder / "songs"
    songs.mkdir()
    soundfile.write(songs / "a.wav", tone(800, 1, 8000), 8000)
    (songs / "a.wav").rename(songs / "a.mp3")
    done = bench.start("run", bench.pipeline(TONE), "--only", "soft", "--json")
    _, err = done.communicate(timeout=60)
    assert done.returncode in (0, 1) and "Traceback" not in err
    assert done.returncode == 0 or "a.mp3" in err


def test_a_folder_of_stems_comes_in_as_it_went_out(bench):
    (bench.folder / "songs").mkdir()
    soundfile.write(bench.folder / "songs/a.wav", tone(800, 1, 8000), 8000, "FLOAT")
    first = bench.run(bench.pipeline(TONE), "--only", "halves")
    back = bench.pipeline(
        "inputs: {stems: {kind: stems}}\nsteps: {s: {uses: effect/gain, in: {audio: stems}}}"
    )
    assert 'port "audio" takes audio, stems is stems' in bench.fails(
        "check", back, "--input", f"stems={first.folder}/halves/a"
    )


def files(folder):
    """The contents of all outputs, by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("manifest.json", "report.html")
    }


def test_sounds_and_folders_of_stems_are_copied_while_they_stand(bench):
    (bench.folder / "songs").mkdir()
    soundfile.write(bench.folder / "songs/a.wav", tone(800, 1, 8000), 8000, "FLOAT")
    first = bench.run(bench.pipeline(TONE))
    second = bench.run(bench.pipeline(TONE))
    assert second.named("step_started") == [] and len(second.named("output_written")) == 4
    assert files(second.folder) == files(first.folder)
    (second.folder / "halves/a/soft.wav").write_bytes(b"")
    third = bench.run(bench.pipeline(TONE))
    assert [event["step"] for event in third.named("step_started")] == ["output halves"]
    assert files(third.folder) == files(first.folder)


def test_a_sound_that_was_written_as_wav_is_encoded_anew_as_flac(bench):
    (bench.folder / "songs").mkdir()
    soundfile.write(bench.folder / "songs/a.wav", tone(800, 1, 8000), 8000, "FLOAT")
    bench.run(bench.pipeline(TONE))
    ran = bench.run(bench.pipeline(TONE.replace("soft/{item}.wav", "soft/{item}.flac")))
    assert [event["step"] for event in ran.named("step_started")] == ["output soft"]
    assert soundfile.info(ran.folder / "soft/a.flac").format == "FLAC"
