"""The picture of a match: both pictures side by side, the matched area outlined in each."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.decode import Decoded, decode
from matchers.values import Outline

_HEIGHT = 480
_MOST_WIDTH = 720
_GAP = 12
_PAPER = (255, 255, 255)
_LINE = (214, 40, 57)


class Outlined(Protocol):
    """A `Found` or a `values.PictureMatch`."""

    @property
    def listing_outline(self) -> Outline: ...

    @property
    def reference_outline(self) -> Outline: ...


def draw(listing: Decoded | bytes, reference: Decoded | bytes, found: Outlined) -> bytes:
    """Draw a match.

    Parameters
    ----------
    listing, reference
        The two pictures, as pixels or as files.
    found
        What `ReferenceIndex.search` found; without outlines both pictures are framed.

    Returns
    -------
    bytes
        A JPEG file: the listing's picture on the left, the reference on the right.

    Raises
    ------
    matchers.pictures.decode.PictureError
        If a file cannot be decoded.
    """
    whole: Outline = ((0, 0), (1, 0), (1, 1), (0, 1))
    left = _panel(listing, found.listing_outline or whole)
    right = _panel(reference, found.reference_outline or whole)
    sheet = np.full((_HEIGHT, left.shape[1] + _GAP + right.shape[1], 3), _PAPER, np.uint8)
    sheet[:, : left.shape[1]] = left
    sheet[:, left.shape[1] + _GAP :] = right
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    if not done:
        raise RuntimeError("OpenCV wrote no JPEG")
    return data.tobytes()


def _panel(picture: Decoded | bytes, outline: Outline) -> NDArray[np.uint8]:
    pixels = (decode(picture) if isinstance(picture, bytes) else picture).pixels
    height, width = pixels.shape[:2]
    scale = min(_HEIGHT / height, _MOST_WIDTH / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shown = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    corners = np.rint(np.array(outline) * (np.array(size) - 1)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(shown, [corners], True, _PAPER, 7, cv2.LINE_AA)
    cv2.polylines(shown, [corners], True, _LINE, 3, cv2.LINE_AA)
    panel = np.full((_HEIGHT, size[0], 3), _PAPER, np.uint8)
    top = (_HEIGHT - size[1]) // 2
    panel[top : top + size[1]] = shown
    return panel
