"""Pictures: edits are recognised, other pictures are not, hostile files end in one error."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

import matchers
from matchers.pictures import closest
from tests.pictures import draw, jpeg


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def product(seed: int) -> matchers.Product:
    return matchers.Product(
        str(seed), f"Product {seed}", (), None, None, (matchers.fingerprint(jpeg(seed, 500)),)
    )


PRODUCTS = [product(seed) for seed in range(12)]


@pytest.mark.parametrize(
    "edit",
    [
        lambda i: i,
        lambda i: i.resize((180, 180)),
        lambda i: i.filter(ImageFilter.GaussianBlur(2)),
        lambda i: ImageEnhance.Brightness(i).enhance(1.4),
        lambda i: ImageOps.grayscale(i),
        lambda i: ImageOps.mirror(i),
        lambda i: i.crop((50, 50, 450, 450)),
        lambda i: i.crop((75, 0, 500, 500)),
        lambda i: ImageOps.expand(i, 22, "white"),
    ],
    ids=["same", "small", "blur", "bright", "grey", "mirror", "crop", "left", "border"],
)
def test_edits_that_sellers_make_are_recognised(edit: object) -> None:
    found = 0
    for seed in range(12):
        shown = matchers.fingerprint(encoded(edit(draw(seed, 500)), quality=60))  # type: ignore[operator]
        match = closest([shown], PRODUCTS)
        found += match is not None and match.product_id == str(seed)
    assert found >= 11


def test_other_pictures_are_not_recognised() -> None:
    others = [matchers.fingerprint(jpeg(seed, 500)) for seed in range(100, 220)]
    assert sum(closest([other], PRODUCTS) is not None for other in others) <= 1


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a JPEG"),
        (b"<svg onload=alert(1)>", "not a JPEG"),
        (png_bomb(30_000, 30_000), "pixels"),
        (png_bomb(2_000_000_000, 2), "pixels"),
        (jpeg(1)[:2000], "broken"),
        (png_bomb(600, 600), "broken"),
        (encoded(draw(1, 20).resize((4, 4)), "PNG"), "too few"),
        (encoded(draw(1), "BMP"), "not a JPEG"),
        (b"\xff" * 20_000_001, "larger than"),
    ],
    ids=["empty", "svg", "bomb", "strip", "truncated", "no data", "tiny", "bmp", "large"],
)
def test_hostile_files_end_in_one_error(data: bytes, said: str) -> None:
    with pytest.raises(matchers.PictureError, match=said):
        matchers.fingerprint(data)


@given(st.binary(max_size=300), st.integers(0, 3000))
def test_any_bytes_are_a_picture_or_an_error(noise: bytes, place: int) -> None:
    original = bytearray(encoded(draw(3, 64)))
    original[place % len(original) : place % len(original) + len(noise)] = noise
    for data in (noise, bytes(original)):
        try:
            picture = matchers.fingerprint(data)
        except matchers.PictureError:
            continue
        assert all(len(value) == 16 for value in picture.hashes.values())


def test_transparent_animated_and_rotated_pictures_are_decoded() -> None:
    rgba = draw(2).convert("RGBA")
    rgba.putalpha(128)
    assert matchers.fingerprint(encoded(rgba, "PNG")).width == 400
    frames = [draw(1, 100), draw(2, 100)]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert matchers.media_type(gif) == "image/gif"
    assert matchers.fingerprint(gif).height == 100
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    turned = encoded(draw(5, 500).transpose(Image.Transpose.ROTATE_90), exif=exif)
    match = closest([matchers.fingerprint(turned)], PRODUCTS)
    assert match is not None
    assert match.product_id == "5"
