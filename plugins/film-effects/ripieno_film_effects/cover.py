"""Covers: pictures from anywhere, so looked at before they are unpacked."""

import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ripieno.contracts import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_MEGAPIXELS = 50
# Those that Pillow reads by itself: others would start programs.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def read_cover(path: Path, *, side: int) -> "Image":
    """The middle square of a picture, RGB, `side` pixels wide.

    Raises
    ------
    InputError
        If the file cannot be read, is no picture, or has more than `MOST_MEGAPIXELS`.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            # Pillow's own warning comes from 89 megapixels on; the size is refused here before.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                megapixels = picture.width * picture.height / 1e6
                if megapixels > MOST_MEGAPIXELS:
                    raise _too_large(path, f"{megapixels:.0f} megapixels")
                picture.draft("RGB", (2 * side, 2 * side))
                upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far too many pixels") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; `art` names the cover") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError) as error:
        raise InputError(f"{path}: no picture that can be read. Give the cover as PNG or JPEG") from error
    ground = Image.new("RGBA", upright.size, (0, 0, 0, 255))
    return ImageOps.fit(
        Image.alpha_composite(ground, upright).convert("RGB"), (side, side), Image.Resampling.LANCZOS
    )


def _too_large(path: Path, size: str) -> InputError:
    return InputError(
        f"{path}: {size}, at most {MOST_MEGAPIXELS} megapixels are read. Make the cover smaller"
    )
