import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from ripieno_spectrum.analysis import BANDS_PER_OCTAVE, FLOOR_DB, LEVELS_PER_DB, LOWEST_HZ, analyse
from ripieno_spectrum.header import clock
from ripieno_spectrum.layout import arrange
from ripieno_spectrum.lettering import fitted, width, write
from ripieno_spectrum.marks import Marks
from ripieno_spectrum.metre import Metre
from ripieno_spectrum.painting import blank
from ripieno_spectrum.palette import INK, distinct, ramp
from ripieno_spectrum.picture import Picture
from ripieno_spectrum.score import Scroll

SIZES = st.tuples(st.integers(16, 300), st.integers(16, 300))
SONG = Marks(
    np.arange(0.25, 6, 0.5),
    np.arange(12) % 4 + 1,
    ((0.0, 2.0, "verse"), (2.0, 4.0, "chorus"), (4.0, 6.0, "verse")),
)


def picture(samples, *, rate_hz=8000, marks=Marks(), size=(320, 180), **settings):
    return Picture(
        lambda start, stop: samples[start:stop],
        frames=len(samples),
        rate_hz=rate_hz,
        marks=marks,
        size=size,
        **settings,
    )


def noise(seconds, *, rate_hz=8000):
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * rate_hz)).astype(np.float32)


def analysis(samples, *, rate_hz, columns_hz=75.0):
    return analyse(
        lambda start, stop: samples[start:stop], frames=len(samples), rate_hz=rate_hz, columns_hz=columns_hz
    )


@given(st.sampled_from([8000, 22050, 44100, 48000, 192000]), st.integers(6, 160))
@settings(max_examples=15)
def test_a_full_scale_sine_has_its_level_in_its_band(rate_hz, band):
    hz = LOWEST_HZ * 2 ** (band / BANDS_PER_OCTAVE)
    sine = np.sin(2 * np.pi * hz * np.arange(rate_hz) / rate_hz).astype(np.float32)
    levels = analysis(sine, rate_hz=rate_hz).levels[37].astype(float)
    tilted_db = 1.5 * math.log2(hz / 500)
    assert np.argmax(levels) == band
    assert FLOOR_DB + levels.max() / LEVELS_PER_DB == pytest.approx(tilted_db, abs=0.6)


@given(st.integers(0, 3999), st.floats(20.0, 400.0))
@settings(max_examples=25)
def test_a_click_stands_in_the_column_that_holds_it(sample, columns_hz):
    samples = np.zeros(4000, np.float32)
    samples[sample] = 1.0
    found = analysis(samples, rate_hz=8000, columns_hz=columns_hz)
    columns = np.flatnonzero(found.high)
    assert len(columns) == 1
    assert columns[0] == pytest.approx(sample / 8000 * columns_hz, abs=1)
    assert found.columns == math.ceil(4000 / 8000 * columns_hz)


def test_analysis_reads_a_long_song_in_short_pieces():
    reads = []

    def read(start, stop):
        reads.append(stop - start)
        return np.zeros(stop - start, np.float32)

    analyse(read, frames=8000 * 60, rate_hz=8000, columns_hz=75)
    assert max(reads) < 8000 * 3


@given(st.integers(1, 2000), st.sampled_from([23.976, 24.0, 25.0, 29.97, 30.0, 60.0]))
def test_a_beat_glows_first_in_the_frame_that_holds_it(frame, fps):
    metre = Metre(Marks(np.array([frame / fps]), np.array([1])), fps=fps)
    glows = [metre.at(index).glow for index in range(frame - 1, frame + 4)]
    assert glows[0] == 0.0
    assert glows[1] == 1.0
    assert glows[1:] == sorted(glows[1:], reverse=True)


def test_the_playhead_flashes_in_the_frame_of_a_beat():
    drawn = picture(np.zeros(16000, np.float32), marks=Marks(np.array([1.0]), np.array([1])))
    layout = arrange(320, 180, sections=False)
    around = slice(layout.playhead - 4, layout.playhead + 5)
    light = [
        int(drawn.frame(index)[layout.score.area][layout.wave.lines, around].sum()) for index in range(60)
    ]
    assert np.argmax(light) == 30


def test_downbeats_glow_more_than_other_beats():
    metre = Metre(SONG, fps=20)
    glows = {metre.at(index).position: metre.at(index).glow for index in (5, 15)}
    assert glows[1] > glows[2] > 0


def test_metre_counts_beats_bars_and_tempo():
    instant = Metre(SONG, fps=20).at(25)
    assert (instant.position, instant.bar_beats, instant.bpm) == (3, 4, 120)


def test_unknown_positions_give_a_tempo_but_no_bar():
    instant = Metre(Marks(np.arange(0.0, 4.0, 0.6), np.zeros(7, np.int64)), fps=30).at(60)
    assert (instant.position, instant.bar_beats, instant.bpm) == (0, 0, 100)


def test_sections_of_one_label_share_a_colour_and_others_differ():
    first, second, third = SONG.coloured_sections()
    assert first.colour == third.colour != second.colour


def test_the_band_changes_colour_where_the_section_does():
    layout = arrange(640, 360, sections=True)
    drawn = picture(noise(6), marks=SONG, size=(640, 360))
    step = Scroll.across(640, fps=30).step
    band = drawn.frame(60)[layout.score.area][layout.band.lines][1]
    before, after = band[layout.playhead - 10 * step], band[layout.playhead + 10 * step]
    assert np.abs(before.astype(int) - after).max() > 20


@given(st.integers(2, 8))
def test_colours_of_labels_keep_apart(count):
    colours = np.array(distinct(count), float)
    assert min(np.abs(a - b).max() for a, b in itertools.combinations(colours, 2)) > 30


def test_a_ramp_of_rising_lightness_has_rising_luminance():
    colours = ramp([(0.0, 0.1, 0.02, 270), (0.5, 0.5, 0.1, 260), (1.0, 0.98, 0.03, 90)]) / 255
    luminance = colours**2.2 @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -1e-3).all()
    assert luminance[-1] > 0.9 > 0.01 > luminance[0]


@pytest.mark.parametrize("rate_hz", [100, 8000, 44100, 192000])
@pytest.mark.parametrize("seconds", [0, 0.00001, 0.7])
def test_every_rate_and_length_gives_a_picture(rate_hz, seconds):
    samples = noise(1, rate_hz=rate_hz)[: math.ceil(seconds * rate_hz)]
    frame = picture(samples, rate_hz=rate_hz).frame(0)
    assert frame.shape == (180, 320, 3)
    assert frame.dtype == np.uint8


@given(SIZES, st.sampled_from([Marks(), SONG]), st.sampled_from([5.0, 30.0, 59.94]))
@settings(max_examples=25)
def test_every_size_gives_a_picture(size, marks, fps):
    drawn = picture(noise(0.5), marks=marks, size=size, fps=fps, title="Título")
    frame = drawn.frame(drawn.frames - 1)
    assert frame.shape == (size[1], size[0], 3)
    assert frame.std() > 0


def test_silence_is_dark_beside_its_playhead():
    layout = arrange(320, 180, sections=False)
    frame = picture(np.zeros(8000, np.float32)).frame(0)
    spectrum = frame[layout.score.area][layout.spectrum.lines, layout.playhead + 40 :]
    assert np.abs(spectrum.astype(int) - INK).max() < 30


def test_frames_do_not_depend_on_the_order_they_are_drawn_in():
    one, other = (picture(noise(4), marks=SONG) for _ in range(2))
    forwards = [one.frame(index) for index in (0, 40, 119)]
    backwards = [other.frame(index) for index in (119, 40, 0)]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))


def test_the_score_moves_left_by_whole_pixels():
    layout, step = arrange(640, 360, sections=False), Scroll.across(640, fps=30).step
    drawn = picture(noise(6), size=(640, 360))
    now, then = (
        drawn.frame(index)[layout.score.area][:, layout.playhead + 60 : 640 - 2 * layout.margin]
        for index in (30, 31)
    )
    assert np.array_equal(now[:, step:], then[:, :-step])


def test_a_note_is_brighter_once_played():
    hz, rate_hz = 440, 8000
    sine = 0.5 * np.sin(2 * np.pi * hz * np.arange(rate_hz * 8) / rate_hz).astype(np.float32)
    layout = arrange(640, 360, sections=False)
    spectrum = picture(sine, size=(640, 360)).frame(120)[layout.score.area][layout.spectrum.lines]
    played = spectrum[:, layout.playhead - 60 : layout.playhead - 40].max()
    to_come = spectrum[:, layout.playhead + 60 : layout.playhead + 80].max()
    assert played > 230 > to_come


@given(st.text(max_size=40), st.integers(0, 200))
def test_text_is_cut_to_its_room(text, room):
    line = fitted(text, room=room, size=14)
    assert line == "" or width(line, size=14) <= room


@pytest.mark.parametrize("text", ["", " ", "\ud800", "a\nb\x00c", "😀", "音楽", "♯♭", "שלום"])
def test_any_text_can_be_written(text):
    write(blank(100, 40), text, left=-5, base=30, size=20, colour=(255, 255, 255))


@pytest.mark.parametrize(
    ("time_s", "shown"), [(0, "0:00.0"), (9 / 30, "0:00.3"), (59.99, "0:59.9"), (3599.96, "59:59.9")]
)
def test_the_clock_cuts_and_never_rounds_up(time_s, shown):
    assert clock(time_s, decimals=1) == shown


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate_hz", [1, 10, 100])
def test_columns_may_be_closer_than_samples(rate_hz):
    drawn = picture(np.full(rate_hz, 0.5, np.float32), rate_hz=rate_hz)
    assert drawn.frame(0).std() > 0
    columns = analyse(
        lambda start, stop: np.full(stop - start, 0.5), frames=rate_hz, rate_hz=rate_hz, columns_hz=160.0
    )
    np.testing.assert_allclose(columns.rms, 0.5, rtol=1e-6)
