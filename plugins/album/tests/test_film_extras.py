"""What stands beside a film: right, whole, and the same each time."""

import hashlib
import json
import subprocess
import zlib

import numpy as np
import pytest
from reels import FPS, film, frames, in_context, tone, trajectory

from ripieno.contracts import InputError, Licence, Provenance
from ripieno.contracts.context import Made
from ripieno.contracts.testing import SinkSuite
from ripieno.toolkit.ffmpeg import ffmpeg_path
from ripieno_album.extras import FilmExtras, FilmExtrasConfig

HISTORY = (
    Made("album", "one", "codec/audio", "ripieno-media", "0.1.0", file="one.ogg", sha256="ab" * 32),
    Made(
        *("dream", "one", "controller/latent", "ripieno-film", "0.1.0"),
        settings={"preset": "drift", "fps": 30, "lut": {"with": {"file": "/home/me/luts/warm.cube"}}},
        given={"preset": "track list"},
        seed=7,
    ),
)


@pytest.fixture(scope="module")
def reel(tmp_path_factory):
    return film(tmp_path_factory.mktemp("reel"), 2.0)


def extras(film, *, facts=None, history=(), settings=None, **ports):
    sink = FilmExtras(FilmExtrasConfig(**(settings or {})))
    return in_context(lambda: sink.publish(film, **ports), facts=facts or {}, history=history).files


class TestFilmExtras(SinkSuite):
    plugin = FilmExtras
    config = FilmExtrasConfig(previews=2, sheet=4, gif_s=0.5)

    @pytest.fixture(autouse=True)
    def _film(self, reel):
        type(self).film = reel

    def example(self):
        return {"film": self.film, "trajectory": trajectory(), "audio": tone()}


def test_the_hash_of_the_frames_is_that_of_what_a_decoder_gives(reel):
    command = [ffmpeg_path(), "-v", "error", "-i", reel.path, "-map", "0:v:0", "-f", "rawvideo", "-"]
    decoded = subprocess.run(command, capture_output=True, check=True).stdout
    assert len(decoded) == 24 * 64 * 36 * 3 // 2
    card = json.loads(extras(reel)["meta.json"].read_text(encoding="utf-8"))
    assert card["film"]["frames_sha256"] == hashlib.sha256(decoded).hexdigest()
    assert card["film"]["sha256"] == hashlib.sha256(reel.path.read_bytes()).hexdigest()


def test_stills_show_the_frames_that_they_name(reel):
    import cv2

    files = extras(reel, settings={"previews": 3})
    shown = [cv2.imread(str(files[f"preview-{index}.png"]))[..., ::-1] for index in (1, 2, 3)]
    made = frames(2.0)
    for picture, number in zip(shown, (4, 12, 20), strict=True):
        apart = [np.abs(picture.astype(int) - frame.astype(int)).mean() for frame in made]
        assert int(np.argmin(apart)) == number
    sheet = cv2.imread(str(files["contact-sheet.jpg"]))
    assert sheet.shape[1] == 1920
    assert files["poster.jpg"].stat().st_size > 500


def test_the_gif_is_from_the_middle_and_moves(reel):
    import cv2

    path = extras(reel, settings={"gif_s": 1.0, "gif_pixels": 48, "gif_fps": 6})["preview.gif"]
    ok, pictures = cv2.imreadmulti(str(path))
    assert ok and len(pictures) == 6
    assert pictures[0].shape[:2] == (27, 48)
    assert np.abs(pictures[0].astype(int) - pictures[3].astype(int)).mean() > 5
    assert "preview.gif" not in extras(reel, settings={"gif_s": 0})


def test_latents_are_the_rows_of_the_trajectory(reel):
    rows = trajectory()
    with np.load(extras(reel, trajectory=rows)["latents.npz"], allow_pickle=False) as kept:
        np.testing.assert_array_equal(kept["coefficients"], rows.coefficients)
        assert tuple(kept["names"]) == rows.names
        assert float(kept["fps"]) == FPS
        assert json.loads(str(kept["look"])) == dict(getattr(rows, "look", {}))
    assert "latents.npz" not in extras(reel)


def test_the_card_says_what_made_the_film_and_where_each_setting_comes_from(reel):
    licence = Licence("CC0-1.0", "Somebody")
    facts = {"title": "One", "seed": 7}
    sound = tone().with_provenance(Provenance("album: codec/audio", (licence,)))
    files = extras(reel, facts=facts, history=HISTORY, trajectory=trajectory(), audio=sound)
    card = json.loads(files["meta.json"].read_text(encoding="utf-8"))
    assert card["track"] == facts
    assert card["sources"] == [{"input": "album", "item": "one", "file": "one.ogg", "sha256": "ab" * 32}]
    (step,) = card["steps"]
    assert step["settings"] == {
        "preset": {"value": "drift", "from": "track list"},
        "fps": {"value": 30, "from": "default"},
        # Folders of this machine are left out.
        "lut": {"value": {"with": {"file": "warm.cube"}}, "from": "default"},
    }
    assert (step["step"], step["seed"], step["plugin"]) == ("dream", 7, "ripieno-film 0.1.0")
    samples = tone().samples.T.astype("<f4").tobytes()
    assert card["audio"]["samples_sha256"] == hashlib.sha256(samples).hexdigest()
    assert card["licences"] == [{"name": "CC0-1.0", "credit": "Somebody", "commercial": True, "source": ""}]
    assert (card["film"]["video_codec"], card["film"]["audio_codec"]) == ("h264", "aac")
    assert "manifest.json" in card["timings"]


def test_a_film_of_one_frame_has_all_of_it(tmp_path):
    files = extras(film(tmp_path, 1 / FPS))
    assert {"meta.json", "poster.jpg", "contact-sheet.jpg", "preview-1.png", "preview.gif"} <= set(files)


def test_a_film_shorter_than_a_frame_of_the_gif_has_one(tmp_path):
    import cv2

    path = extras(film(tmp_path, 1 / FPS), settings={"gif_fps": 1})["preview.gif"]
    assert len(cv2.imreadmulti(str(path))[1]) == 1


def test_an_upright_film_has_an_upright_poster(tmp_path):
    import cv2

    files = extras(film(tmp_path, 0.5, size=(36, 64)), settings={"previews": 1})
    assert cv2.imread(str(files["poster.jpg"])).shape[:2] == (64, 36)


def test_a_cover_is_made_small_and_one_that_is_none_is_refused(reel, tmp_path):
    import cv2

    cover = tmp_path / "cover.png"
    cv2.imwrite(str(cover), np.zeros((1500, 3000, 3), np.uint8))
    files = extras(reel, facts={"art": str(cover), "title": "One"})
    assert cv2.imread(str(files["cover.jpg"])).shape == (500, 1000, 3)
    assert json.loads(files["meta.json"].read_text(encoding="utf-8"))["track"] == {"title": "One"}
    cover.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"cover\.png: no picture that can be read"):
        extras(reel, facts={"art": str(cover)})


def test_a_cover_of_a_hundred_megapixels_is_refused_by_its_header(reel, tmp_path):
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (10_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    rows = zlib.compress(bytes(10_000 * 30_001), 1)
    cover = tmp_path / "cover.png"
    cover.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    with pytest.raises(
        InputError, match=r"10000 x 10000, 100 megapixels, at most 50 megapixels are read. Make the"
    ):
        extras(reel, facts={"art": str(cover)})
