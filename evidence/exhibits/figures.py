"""Pictures for the report: decoded within bounds, scaled down, as data: addresses."""

from __future__ import annotations

import base64
import struct
import warnings
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

MAX_FILE_BYTES = 100 << 20
MAX_PIXELS = 70_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF")
#: Of a picture in the report; on A4 at 17 cm that is 150 dots an inch.
WIDTH = 1000
#: A long page is shown in pieces of this shape, and no more of them than this.
PIECE_HEIGHT = 1350
MAX_PIECES = 4
#: All pictures of a report together: a browser has to print them.
BUDGET = 24 << 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture in pieces from top to bottom.

    Parameters
    ----------
    note
        What is not shown and why; empty if all of it is.
    """

    caption: str
    pieces: tuple[str, ...]
    note: str = ""


@dataclass(slots=True)
class Album:
    """Makes figures until the report's budget is used up."""

    left: int = field(default=BUDGET)

    def figure(self, stream: BinaryIO, caption: str) -> Figure:
        """A figure of a picture's file; one without pieces if it cannot be shown."""
        if self.left <= 0:
            return Figure(caption, (), "Not printed here, to keep the report short: see the file.")
        data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            return Figure(caption, (), "Too large to be printed here: see the file.")
        try:
            pieces, note = _pieces(data)
        except (
            OSError, SyntaxError, ValueError, EOFError, OverflowError, MemoryError,
            struct.error, IndexError, TypeError, KeyError, ZeroDivisionError, RuntimeError,
            Image.DecompressionBombError, Image.DecompressionBombWarning,
        ):  # fmt: skip
            # Pillow's readers answer broken files with all of these.
            return Figure(caption, (), "It cannot be shown as a picture here: see the file.")
        self.left -= sum(len(piece) for piece in pieces)
        return Figure(caption, pieces, note)


def _pieces(data: bytes) -> tuple[tuple[str, ...], str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError("too many pixels")
    image.draft("RGB", (WIDTH, WIDTH))
    upright = ImageOps.exif_transpose(image)
    plain = _on_white(upright)
    if plain.width > WIDTH:
        plain = plain.resize(
            (WIDTH, max(1, round(plain.height * WIDTH / plain.width))), Image.Resampling.LANCZOS
        )
    # Everything in one piece where only a little would be left for a second.
    most = PIECE_HEIGHT if plain.height > PIECE_HEIGHT * 1.15 else plain.height
    tops = range(0, plain.height, most)
    pieces = tuple(
        _jpeg(plain.crop((0, top, plain.width, min(plain.height, top + most))))
        for top in tops[:MAX_PIECES]
    )
    note = ""
    if len(tops) > MAX_PIECES:
        share = MAX_PIECES * most / plain.height
        note = f"The top {share:.0%} of the picture; all of it is in the file."
    return pieces, note


def _on_white(image: Image.Image) -> Image.Image:
    if "A" in image.getbands() or "transparency" in image.info:
        shown = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
    return image.convert("RGB")


def _jpeg(image: Image.Image) -> str:
    sink = BytesIO()
    image.save(sink, "JPEG", quality=82, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(sink.getvalue()).decode()}"
