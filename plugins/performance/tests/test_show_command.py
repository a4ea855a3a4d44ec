"""``core show``: what it writes where, and what it says of what it cannot draw."""

import gzip

import numpy as np
import pytest
from click.testing import CliRunner
from played import note, performance, rich, vibrato
from test_show_scene import VIOLIN

from ripieno.contracts import ConfigError, InputError, MissingError, RipienoError, StepError, write_cont
from ripieno_performance.show.command import profiles_named, show


class Installed:
    """A host with a violin."""

    def data(self, uses):
        if uses != "instrument/violin":
            raise MissingError(f"{uses} is not installed")
        return VIOLIN


def run(*words):
    result = CliRunner().invoke(show, [str(word) for word in words], obj=Installed())
    if isinstance(result.exception, RipienoError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "a song.cont"
    write_cont(rich(), path)
    return path


def test_a_page_lies_beside_the_document(document):
    result = run(document)
    assert result.stdout.strip() == str(document.with_suffix(".html"))
    assert "<title>a song · Ripieno</title>" in document.with_suffix(".html").read_text(encoding="utf-8")
    assert "no recording beside" in result.stderr


def test_a_compressed_document_is_named_without_its_suffixes(document, tmp_path):
    (tmp_path / "b.cont.gz").write_bytes(gzip.compress(document.read_bytes()))
    assert run(tmp_path / "b.cont.gz").stdout.strip() == str(tmp_path / "b.html")


def test_pictures_and_pages_are_made_at_once(document, tmp_path):
    wanted = [tmp_path / name for name in ("a.png", "b.SVG", "c.html")]
    run(document, *(word for path in wanted for word in ("--output", path)))
    starts = [path.read_bytes()[:5] for path in wanted]
    assert starts == [b"\x89PNG\r", b"<?xml", b"<!doc"]
    assert not list(tmp_path.glob(".*"))


def test_the_recording_is_taken_from_beside_the_document_or_as_named(document, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "other.wav", np.zeros(4800), 48000)
    assert "data:audio/flac" not in page_of(document)
    assert "data:audio/flac" in page_of(document, "--audio", tmp_path / "other.wav")
    soundfile.write(tmp_path / "a song.flac", np.zeros(4800), 48000)
    assert "data:audio/flac" in page_of(document)


def page_of(document, *words):
    run(document, *words)
    return document.with_suffix(".html").read_text(encoding="utf-8")


def test_a_broken_recording_beside_is_said_and_left_out(document, tmp_path):
    (tmp_path / "a song.wav").write_bytes(b"no sound")
    result = run(document)
    assert "drawn without a spectrogram" in result.stderr
    assert document.with_suffix(".html").exists()


def test_a_broken_recording_that_was_named_is_refused(document, tmp_path):
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.raises(InputError, match=r"b\.wav: cannot be read as sound"):
        run(document, "--audio", tmp_path / "b.wav")
    with pytest.raises(InputError, match="no such file"):
        run(document, "--audio", tmp_path / "c.wav")
    assert not document.with_suffix(".html").exists()


@pytest.mark.parametrize("output", ["a.pdf", "a", "a.html.txt"])
def test_other_kinds_of_picture_are_refused_by_name(document, tmp_path, output):
    with pytest.raises(ConfigError, match=r"\.html, \.png, \.svg"):
        run(document, "--output", tmp_path / output)


def test_a_document_that_is_not_there_or_broken_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        run(tmp_path / "none.cont")
    (tmp_path / "a.cont").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.cont"):
        run(tmp_path / "a.cont")


def test_a_folder_that_cannot_be_is_one_line(document, tmp_path):
    (tmp_path / "none").touch()
    with pytest.raises(StepError, match=r"a\.html: cannot be written: "):
        run(document, "--output", tmp_path / "none" / "a.html")


def test_profiles_are_those_that_are_installed():
    assert profiles_named(["violin", "kazoo", "violin"], Installed()) == {"violin": VIOLIN}
    assert profiles_named(["violin"], None) == {}


def test_a_performance_without_a_note_is_a_page(tmp_path):
    write_cont(performance(), tmp_path / "a.cont")
    run(tmp_path / "a.cont", "--output", tmp_path / "a.html", "--output", tmp_path / "a.png")


def test_lanes_follow_the_installed_profile(tmp_path):
    write_cont(performance(note(0, 1, 60, channels={"bow_pressure": 0.4})), tmp_path / "a.cont")
    assert '"low":0.0,"high":1.0' in page_of(tmp_path / "a.cont")


def test_several_documents_are_drawn_each_beside_itself(tmp_path):
    files = [tmp_path / f"{name}.cont" for name in "ab"]
    for file in files:
        write_cont(performance(vibrato(0.2, 1.0, 60), duration_s=2.0), file)
    CliRunner().invoke(show, list(map(str, files)), catch_exceptions=False)
    assert all(file.with_suffix(".html").is_file() for file in files)
    with pytest.raises(ConfigError, match="are for one document, and there are 2"):
        CliRunner().invoke(show, [*map(str, files), "--output", "x.png"], catch_exceptions=False)
