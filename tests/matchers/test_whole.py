"""The hash of a whole picture: near for copies, far for others, none for blank ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from matchers.pictures.decode import decode
from matchers.pictures.headers import read_header
from matchers.pictures.whole import (
    BITS,
    FLAT,
    distance,
    fingerprint,
    hash_file,
    positions,
    whole_hash,
)
from tests.pictures import draw, encoded, jpeg

SEEDS = range(10)
ORIGINALS = {seed: hash_file(jpeg(seed, 600)) for seed in SEEDS}


def turn_hue(image: Image.Image) -> Image.Image:
    channels = np.array(image.convert("HSV"))
    channels[..., 0] += 12  # of 256: 17 degrees
    return Image.fromarray(channels, "HSV").convert("RGB")


EDITS: dict[str, tuple[Callable[[Image.Image], bytes], int]] = {
    "recompressed": (lambda i: encoded(i, quality=30), 10),
    "recompressed hard": (lambda i: encoded(i, quality=10), 20),
    "progressive": (lambda i: encoded(i, progressive=True), 8),
    "half": (lambda i: encoded(i.resize((300, 300))), 10),
    "small": (lambda i: encoded(i.resize((150, 150))), 14),
    "stretched": (lambda i: encoded(i.resize((600, 400))), 14),
    "grey": (lambda i: encoded(ImageOps.grayscale(i)), 6),
    "blurred": (lambda i: encoded(i.filter(ImageFilter.GaussianBlur(4))), 12),
    "brighter": (lambda i: encoded(ImageEnhance.Brightness(i).enhance(1.3)), 46),
    "darker": (lambda i: encoded(ImageEnhance.Brightness(i).enhance(0.6)), 12),
    "more contrast": (lambda i: encoded(ImageEnhance.Contrast(i).enhance(1.3)), 30),
    "less contrast": (lambda i: encoded(ImageEnhance.Contrast(i).enhance(0.6)), 12),
    "another hue": (lambda i: encoded(turn_hue(i)), 64),
    "PNG": (lambda i: encoded(i, "PNG"), 10),
    "WebP": (lambda i: encoded(i, "WEBP"), 12),
    "AVIF": (lambda i: encoded(i, "AVIF", speed=10), 12),
}


def test_all_eight_positions_at_once_are_those_one_by_one() -> None:
    grey = np.asarray(draw(3, 64).convert("L"))
    one_by_one = [
        whole_hash(np.ascontiguousarray(np.rot90(side, turn)))
        for side in (grey, grey[:, ::-1])
        for turn in range(4)
    ]
    together = positions(grey)
    # A coefficient that lies at the median may fall to either side.
    assert max(map(distance, one_by_one, together)) <= 2
    assert positions(np.full((64, 64), 7, np.uint8)) == [FLAT] * 8


@pytest.mark.parametrize(("edit", "limit"), EDITS.values(), ids=EDITS)
def test_copies_are_near(edit: Callable[[Image.Image], bytes], limit: int) -> None:
    far = {
        seed: apart
        for seed in SEEDS
        if (apart := distance(ORIGINALS[seed], hash_file(edit(draw(seed, 600))))) > limit
    }
    assert not far


def test_others_are_far() -> None:
    assert min(distance(a, b) for a, b in combinations(ORIGINALS.values(), 2)) > 80


def blank(kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    dice = np.random.default_rng(5)
    ramp = np.linspace(0, 255, 400)[None, :].repeat(300, 0)
    return {
        "white": np.full((300, 400), 255, np.uint8),
        "black": np.zeros((300, 400, 3), np.uint8),
        "noise": dice.integers(120, 136, (300, 400), np.uint8),
        "ramp": ramp.astype(np.uint8),
        "stripe": np.repeat((ramp > 90) * np.uint8(255), 1, 0),
    }[kind]


@pytest.mark.parametrize("kind", ["white", "black", "noise", "ramp", "stripe"])
def test_blank_pictures_are_like_none(kind: str) -> None:
    hashed = whole_hash(blank(kind))
    assert hashed == FLAT
    assert distance(hashed, hashed) == BITS
    assert distance(hashed, ORIGINALS[1]) == distance(ORIGINALS[1], hashed) == BITS
    file = encoded(Image.fromarray(blank(kind)), quality=70)
    assert hash_file(file) == FLAT
    assert fingerprint(file).hash == ""


@given(arrays(np.uint8, st.tuples(st.integers(1, 300), st.integers(1, 300))))
def test_any_pixels_have_a_hash(pixels: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> None:
    hashed = whole_hash(pixels)
    assert len(hashed) == BITS // 8
    assert hashed == whole_hash(pixels.copy())
    if hashed != FLAT:
        assert distance(hashed, hashed) == 0


def test_size_makes_no_difference_to_the_formula() -> None:
    """Beside the plain way: all pixels to 64 × 64, then the transform."""
    for seed, side in ((1, 64), (2, 97), (3, 128), (4, 160), (5, 161), (6, 640)):
        grey = np.asarray(draw(seed, side).convert("L"))
        # Every pixel 64 times over: 64 equal parts of it have whole numbers of them.
        tall = grey.astype(float).repeat(64, 0).reshape(64, side, side).mean(1)
        small = tall.repeat(64, 1).reshape(64, 64, side).mean(2)
        line = np.cos(np.pi / 64 * (np.arange(64) + 0.5) * np.arange(1, 17)[:, None])
        plain = line @ small @ line.T
        bits = np.packbits(plain.ravel() > np.median(plain)).tobytes()
        assert distance(whole_hash(grey), bits) <= 4


@pytest.mark.parametrize("size", [64, 200, 511, 512, 1000, 1700])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_fast_way_is_near_the_full_one(size: int, progressive: bool) -> None:
    data = encoded(draw(7, size), quality=92, progressive=progressive)
    full = np.asarray(draw(7, size))
    assert distance(hash_file(data), whole_hash(full)) <= 10
    assert distance(hash_file(data), whole_hash(decode(data).pixels)) <= 10


def test_a_turned_picture_is_hashed_upright() -> None:
    image = draw(9, 600).crop((0, 0, 600, 450))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(image.transpose(Image.Transpose.ROTATE_90), exif=exif)
    upright = encoded(image)
    assert distance(hash_file(turned), hash_file(upright)) <= 8
    found = fingerprint(turned)
    assert (found.width, found.height) == (600, 450)


def test_a_fingerprint() -> None:
    for kind in ("JPEG", "PNG", "HEIC"):
        data = encoded(draw(3, 500).crop((0, 0, 500, 300)), kind)
        found = fingerprint(data)
        assert found.sha256 == hashlib.sha256(data).hexdigest()
        assert (found.width, found.height) == (500, 300)
        assert bytes.fromhex(found.hash) == hash_file(data)


def test_of_a_progressive_jpeg_the_first_pass_is_enough() -> None:
    data = encoded(draw(7, 800), progressive=True)
    end = read_header(data).first_pass
    assert 0 < end < len(data)
    # No decoder could make anything of the later passes.
    spoilt = data[:end] + b"\xff\xda\0\2" + b"\xff\xc4\0\3\xff" + b"\xff\xd9"
    assert hash_file(spoilt) == hash_file(data)
    assert read_header(encoded(draw(7, 800))).first_pass == 0
