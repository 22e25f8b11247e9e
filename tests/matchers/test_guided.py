"""A second look at a placement."""

import numpy as np
from numpy.typing import NDArray

from matchers.pictures.features import Scales, features
from matchers.pictures.guided import NOTHING, look_again
from tests.pictures import draw

SIDE = 300
STAYS = np.array([[1.0, 0, 0], [0, 1, 0]])


def _grey(seed: int) -> NDArray[np.uint8]:
    return np.asarray(draw(seed, SIDE).convert("L"), np.uint8)


def test_a_copy_shows_all_corners_in_their_places() -> None:
    grey = _grey(1)
    again = look_again(Scales(grey), features(grey, 200), STAYS, False, (SIDE, SIDE))
    assert again.corners >= 50
    assert again.whole > 0.9
    assert again.alike > 0.95


def test_a_mirrored_copy_shows_them_too() -> None:
    grey = _grey(1)
    flipped = Scales(np.ascontiguousarray(grey[:, ::-1]))
    back = np.array([[-1.0, 0, SIDE - 1], [0, 1, 0]])
    assert look_again(flipped, features(grey, 200), back, True, (SIDE, SIDE)).whole > 0.9
    assert look_again(flipped, features(grey, 200), STAYS, False, (SIDE, SIDE)).whole < 0.4


def test_another_thing_in_the_middle_is_seen() -> None:
    grey = _grey(1)
    other = grey.copy()
    other[75:225, 75:225] = _grey(2)[75:225, 75:225]
    corners = features(grey, 200)
    again = look_again(Scales(other), corners, STAYS, False, (SIDE, SIDE))
    assert again.middle < look_again(Scales(grey), corners, STAYS, False, (SIDE, SIDE)).middle / 2
    assert again.middle < again.whole


def test_a_place_outside_the_picture_shows_nothing() -> None:
    grey = _grey(1)
    away = np.array([[1.0, 0, 4 * SIDE], [0, 1, 0]])
    assert look_again(Scales(grey), features(grey, 200), away, False, (SIDE, SIDE)) == NOTHING
