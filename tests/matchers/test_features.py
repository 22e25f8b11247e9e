"""Local features: what they must survive, and what is kept of a reference."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matchers.pictures import Traits, decode, traits
from matchers.pictures.features import MIRROR, Scales, describe, detect, features
from tests.pictures import draw, jpeg


def _grey(seed: int, size: int = 300) -> NDArray[np.uint8]:
    return np.asarray(draw(seed, size).convert("L"), np.uint8)


def _likeness(one: NDArray[np.int8], other: NDArray[np.int8]) -> NDArray[np.float64]:
    a, b = one.astype(float), other.astype(float)
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return np.asarray(cosines, np.float64)


def test_the_mirrored_picture_has_the_same_descriptions_with_other_signs() -> None:
    grey = _grey(1)
    rows = detect(grey, 100)
    mirrored = rows.copy()
    mirrored[:, 0] = grey.shape[1] - 1 - rows[:, 0]
    mirrored[:, 3] = np.pi - rows[:, 3]
    straight = describe(Scales(grey), rows).descriptors
    turned = describe(Scales(np.ascontiguousarray(grey[:, ::-1])), mirrored).descriptors
    assert len(rows) > 30
    assert np.median(_likeness(turned, straight * MIRROR)) > 0.98
    assert np.median(_likeness(turned, straight)) < 0.9


def test_descriptions_survive_a_quarter_turn() -> None:
    grey = _grey(2)
    rows = detect(grey, 100)
    turned = rows.copy()
    # rot90 turns against the clock: x becomes y, y becomes the rest of the width.
    turned[:, 0] = rows[:, 1]
    turned[:, 1] = grey.shape[1] - 1 - rows[:, 0]
    turned[:, 3] = rows[:, 3] - np.pi / 2
    after = describe(Scales(np.ascontiguousarray(np.rot90(grey))), turned).descriptors
    assert np.median(_likeness(after, describe(Scales(grey), rows).descriptors)) > 0.98


def test_every_part_of_a_collage_keeps_corners() -> None:
    # One busy part and three with little on them.
    busy = np.random.default_rng(3).integers(0, 256, (24, 24), np.uint8)
    sheet = np.zeros((400, 400), np.uint8)
    sheet[:200, :200] = cv2.resize(busy, (200, 200))
    for top, left in ((0, 200), (200, 0), (200, 200)):
        sheet[top : top + 200, left : left + 200] = _grey(top + left, 200)
    points = features(sheet, 200).points
    for top, left in ((0, 200), (200, 0), (200, 200)):
        inside = (points >= (left, top)).all(1) & (points < (left + 200, top + 200)).all(1)
        assert inside.sum() >= 10


@pytest.mark.parametrize("size", [(16, 16), (16, 120), (120, 17), (20, 20)])
def test_a_tiny_picture_has_traits(size: tuple[int, int]) -> None:
    buffer = cv2.imencode(".png", np.full((*size, 3), 90, np.uint8))[1].tobytes()
    kept = traits(decode(buffer))
    assert len(kept.corners) == 0
    assert Traits.from_bytes(kept.to_bytes()).thumb.shape == kept.thumb.shape


def test_traits_are_small_and_come_back_as_they_were() -> None:
    kept = traits(decode(jpeg(4, 900)))
    data = kept.to_bytes()
    assert len(data) <= 40_000
    again = Traits.from_bytes(data)
    assert (again.width, again.height, again.size) == (900, 900, kept.size)
    assert again.to_bytes() == data
    assert np.array_equal(again.descriptors, kept.descriptors)


def test_the_same_file_gives_the_same_traits() -> None:
    data = jpeg(5)
    assert traits(decode(data)).to_bytes() == traits(decode(data)).to_bytes()


@given(st.binary(max_size=400))
def test_any_bytes_are_no_traits_or_traits(data: bytes) -> None:
    for hostile in (data, b"TsPt\x01" + data):
        try:
            kept = Traits.from_bytes(hostile)
        except ValueError:
            continue
        assert kept.to_bytes() == hostile


_GOOD = traits(decode(jpeg(6))).to_bytes()


@given(st.integers(0, len(_GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_ends_in_traits_or_an_error(at: int, value: int) -> None:
    changed = bytearray(_GOOD)
    changed[at] = value
    try:
        kept = Traits.from_bytes(bytes(changed))
    except ValueError:
        return
    assert kept.to_bytes() == bytes(changed)


@pytest.mark.parametrize("cut", [0, 3, 20, 60, len(_GOOD) - 1])
def test_traits_cut_short_are_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="traits"):
        Traits.from_bytes(_GOOD[:cut])


def test_traits_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        Traits.from_bytes(_GOOD[:4] + b"\x09" + _GOOD[5:])
