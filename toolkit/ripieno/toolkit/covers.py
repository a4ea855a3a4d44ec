"""Covers: pictures from anywhere, so looked at before they are unpacked."""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ripieno.contracts.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_MEGAPIXELS = 50
# Those that Pillow reads by itself: others would start programs.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def check_cover(path: Path) -> None:
    """Refuse a cover by its header; nothing is unpacked.

    Raises
    ------
    InputError
        If the file cannot be read, is no picture, or has more than `MOST_MEGAPIXELS`.
    """
    with _opened(path):
        pass


def read_cover(path: Path, *, side: int) -> "Image":
    """A picture as it is to be seen: upright, RGB, black where nothing is.

    Parameters
    ----------
    path : Path
        PNG, JPEG, WebP, GIF, BMP or TIFF.
    side : int
        Pixels of the shorter side that are wanted, > 0; a JPEG that is much larger is unpacked at a part of its size.

    Raises
    ------
    InputError
        As `check_cover`; also if the file is cut off.
    """
    from PIL import Image, ImageOps

    with _opened(path) as picture:
        picture.draft("RGB", (2 * side, 2 * side))
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    ground = Image.new("RGBA", upright.size, (0, 0, 0, 255))
    return Image.alpha_composite(ground, upright).convert("RGB")


@contextmanager
def _opened(path: Path) -> Iterator["Image"]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow's own warning comes from 89 megapixels on; the size is refused here before.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                megapixels = picture.width * picture.height / 1e6
                if megapixels > MOST_MEGAPIXELS:
                    raise _too_large(path, f"{picture.width} x {picture.height}, {megapixels:.0f} megapixels")
                yield picture
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far too many pixels") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; `art` names the cover") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError) as error:
        raise InputError(f"{path}: no picture that can be read. Give the cover as PNG or JPEG") from error


def _too_large(path: Path, size: str) -> InputError:
    return InputError(
        f"{path}: {size}, at most {MOST_MEGAPIXELS} megapixels are read. Make the cover smaller"
    )
