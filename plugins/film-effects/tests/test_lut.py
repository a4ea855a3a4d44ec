import numpy as np
import pytest

from ripieno.contracts import InputError
from ripieno_film_effects.lut import Lut, LutConfig

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 27, 48, 3), np.uint8)


def cube(path, function, *, size, low=0.0, high=1.0):
    """A 3D table of a function of arrays of red, green, blue."""
    axis = np.linspace(low, high, size)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    rows = np.stack(np.broadcast_arrays(*function(red, green, blue)), axis=-1).reshape(-1, 3)
    text = [f'# made by a formula\nTITLE "a test"\nLUT_3D_SIZE {size}\n']
    text += (
        [f"DOMAIN_MIN {low} {low} {low}\nDOMAIN_MAX {high} {high} {high}\n"] if (low, high) != (0, 1) else []
    )
    path.write_text("".join(text) + "\n".join(" ".join(f"{value:.7f}" for value in row) for row in rows))
    return path


def lut(path, **settings):
    return Lut(LutConfig(path=path, **settings)).apply(FRAMES, 0.0)


@pytest.mark.parametrize("size", [2, 17, 33])
def test_a_table_of_what_colours_are_changes_nothing(tmp_path, size):
    same = lut(cube(tmp_path / "same.cube", lambda r, g, b: (r, g, b), size=size))
    assert np.abs(same.astype(int) - FRAMES).max() <= 0


def test_tetrahedra_are_exact_where_the_function_is_linear(tmp_path):
    matrix = np.array([[0.5, 0.3, 0.1], [0.1, 0.6, 0.2], [0.25, 0.25, 0.4]])

    def mixed(r, g, b):
        return tuple(row[0] * r + row[1] * g + row[2] * b + 0.02 for row in matrix)

    expected = FRAMES @ matrix.T + 0.02 * 255
    assert np.abs(lut(cube(tmp_path / "mix.cube", mixed, size=9)) - expected).max() <= 0.501


def test_a_grey_axis_stays_grey_between_the_entries(tmp_path):
    # Only tetrahedra keep it so: of a cube's eight corners those off the diagonal would count too.
    def bent(r, g, b):
        spread = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)
        return r**0.7 + spread, g**0.7, b**0.7 - spread

    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 1, 256, 3)
    path = cube(tmp_path / "bent.cube", bent, size=5)
    made = Lut(LutConfig(path=path)).apply(greys, 0.0).astype(int)
    assert np.ptp(made, axis=-1).max() == 0


def test_entries_of_any_table_are_met_exactly(tmp_path):
    rng = np.random.default_rng(1)
    table = rng.uniform(0, 1, (18, 18, 18, 3))
    text = "LUT_3D_SIZE 18\n" + "\n".join(" ".join(f"{v:.6f}" for v in row) for row in table.reshape(-1, 3))
    (tmp_path / "random.cube").write_text(text)
    # 255 is 17 times 15, so that these values lie on entries.
    frames = rng.integers(0, 18, (1, 30, 40, 3), np.uint8) * 15
    red, green, blue = np.moveaxis(frames // 15, -1, 0)
    made = Lut(LutConfig(path=tmp_path / "random.cube")).apply(frames, 0.0)
    assert np.abs(made - 255 * table[blue, green, red]).max() <= 0.501


def test_a_table_of_one_dimension_is_a_curve_for_each_colour(tmp_path):
    axis = np.linspace(0, 1, 1024)
    rows = np.stack([axis**2, axis, 1 - axis], axis=1)
    text = "LUT_1D_SIZE 1024\n" + "\n".join(" ".join(f"{value:.6f}" for value in row) for row in rows)
    (tmp_path / "curve.cube").write_text(text)
    value = FRAMES / 255
    expected = 255 * np.stack([value[..., 0] ** 2, value[..., 1], 1 - value[..., 2]], axis=-1)
    assert np.abs(lut(tmp_path / "curve.cube") - expected).max() <= 0.51


@pytest.mark.parametrize("size", [2, 9])
def test_a_wider_domain_is_heard(tmp_path, size):
    path = cube(tmp_path / "wide.cube", lambda r, g, b: (r, g / 2, b), size=size, low=-0.5, high=1.5)
    expected = FRAMES * np.array([1, 0.5, 1])
    assert np.abs(lut(path) - expected).max() <= 0.501


def test_what_lies_beyond_white_and_black_is_cut_off_after_it_was_mixed(tmp_path):
    path = cube(tmp_path / "steep.cube", lambda *rgb: tuple(2 * value - 0.5 for value in rgb), size=2)
    assert np.abs(lut(path) - np.clip(2.0 * FRAMES - 127.5, 0, 255)).max() <= 0.501


def test_half_a_table_is_halfway(tmp_path):
    path = cube(tmp_path / "invert.cube", lambda r, g, b: (1 - r, 1 - g, 1 - b), size=17)
    assert np.abs(lut(path, strength=0.5) - 127.5).max() <= 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "no LUT_1D_SIZE or LUT_3D_SIZE"),
        ("TITLE x\n0 0 0\n", 2, "before LUT_1D_SIZE"),
        ("LUT_3D_SIZE 300\n", 1, "expected 2 to 256"),
        ("LUT_3D_SIZE two\n", 1, "one whole number"),
        ("LUT_3D_SIZE 2 2\n", 1, "one whole number"),
        ("LUT_1D_SIZE 2\n0 0 0\n", 2, "after 1 of 2 rows"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n1 1 1\n", 4, "more than 2 rows"),
        ("LUT_1D_SIZE 2\n0 0 zero\n", 2, "takes 3 numbers"),
        ("LUT_1D_SIZE 2\n0 0\n", 2, "got 2"),
        ("LUT_1D_SIZE 2\nnan 0 0\n", 2, "not finite"),
        ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n", 2, "one table"),
        ("SHAPER 2\n", 1, "unknown keyword SHAPER"),
        ("LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n0 0 0\n1 1 1\n", 4, "DOMAIN_MAX is not above"),
        ("\x89PNG\r\n\x1a\n\x00\x00", 1, "takes 3 numbers|before LUT_1D_SIZE|unknown keyword"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, text, line, message):
    path = tmp_path / "bad.cube"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        lut(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="none.cube: cannot be read"):
        lut(tmp_path / "none.cube")


def test_its_file_is_part_of_what_decides_the_film(tmp_path):
    assert Lut.assets(LutConfig(path=tmp_path / "x.cube")) == (tmp_path / "x.cube",)
