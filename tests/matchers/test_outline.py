"""The picture of a match."""

import numpy as np
import pytest

from matchers.pictures import Found, PictureError, decode, draw
from tests.pictures import jpeg

FOUND = Found(
    key="k", kind="reference", distance=0, view="as it is", inliers=20, confidence=1.0,
    listing_outline=((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)),
    reference_outline=((0, 0), (1, 0), (1, 1), (0, 1)),
)  # fmt: skip


def _reddish(pixels: np.ndarray) -> np.ndarray:
    red, green, blue = (pixels[..., band].astype(int) for band in range(3))
    return (abs(red - 214) < 30) & (abs(green - 40) < 40) & (abs(blue - 57) < 40)


def test_both_pictures_stand_side_by_side_with_the_area_outlined() -> None:
    grey = np.full((300, 400, 3), 128, np.uint8)
    one = decode(jpeg(1))
    listing = type(one)(grey, 400, 300, "image/jpeg", 1)
    shown = decode(draw(listing, jpeg(2, 200), FOUND), longest=2000)
    assert (shown.width, shown.height) == (640 + 12 + 480, 480)
    marked = _reddish(shown.pixels)
    # The left upright of the outline, and nothing in the middle of it.
    assert marked[200:280, 158:163].any(axis=1).mean() > 0.9
    assert not marked[200:280, 200:440].any()


def test_without_outlines_both_are_framed() -> None:
    bare = Found("k", "reference", 3, "as it is", 0, 0.9, (), ())
    shown = decode(draw(jpeg(1), jpeg(2), bare), longest=2000)
    assert _reddish(shown.pixels)[2:-2, 0:3].any(axis=1).mean() > 0.9


def test_a_broken_file_is_said_to_be_one() -> None:
    with pytest.raises(PictureError):
        draw(b"no picture", jpeg(2), FOUND)
