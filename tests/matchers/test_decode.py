"""Decoding: every format comes out upright, in sRGB, on white; hostile files in one error."""

from __future__ import annotations

import importlib
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from matchers.pictures import headers
from matchers.pictures.decode import MAX_PIXELS, Decoded, PictureError, decode, media_type
from matchers.pictures.rendering import is_srgb
from matchers.pictures.whole import distance, hash_file
from tests.pictures import draw, encoded, jpeg, png_bomb, png_chunk, scan_bomb

WHITE = (255, 255, 255)


def difference(found: Decoded, image: Image.Image) -> float:
    """Mean difference of colour values to what the picture should be."""
    wanted = image.convert("RGB").resize(found.pixels.shape[1::-1], Image.Resampling.BOX)
    return float(np.abs(found.pixels.astype(int) - np.asarray(wanted).astype(int)).mean())


@pytest.mark.parametrize(
    ("kind", "name", "limit"),
    [
        ("JPEG", "image/jpeg", 4),
        ("PNG", "image/png", 0.01),
        ("GIF", "image/gif", 12),
        ("WEBP", "image/webp", 4),
        ("BMP", "image/bmp", 0.01),
        ("AVIF", "image/avif", 4),
        ("HEIC", "image/heic", 6),
    ],
)
def test_every_format_is_decoded(kind: str, name: str, limit: float) -> None:
    image = draw(4, 600).crop((0, 0, 600, 400))
    data = encoded(image, kind)
    found = decode(data)
    assert media_type(data) == found.media_type == name
    assert (found.width, found.height, found.frames) == (600, 400, 1)
    assert found.pixels.shape == (400, 600, 3)
    assert found.pixels.dtype == np.uint8
    assert difference(found, image) < limit
    small = decode(data, 150)
    assert max(small.pixels.shape) == 150
    assert (small.width, small.height) == (600, 400)
    assert difference(small, image) < limit + 2


@pytest.mark.parametrize("size", [100, 639, 641, 900, 1000, 1300, 2600, 5200])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_scaled_while_it_is_decoded(size: int, progressive: bool) -> None:
    image = draw(2, 100).resize((size, size // 2))
    found = decode(encoded(image, progressive=progressive, quality=92), 640)
    longest = max(found.pixels.shape)
    assert min(size, 480) <= longest <= 640
    assert (found.width, found.height) == (size, size // 2)
    assert difference(found, image) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_pictures_are_upright(kind: str, orientation: int) -> None:
    image = draw(6, 300).crop((0, 0, 300, 200))
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif[0x0112] = orientation
    upright = image.copy()
    upright.getexif()[0x0112] = orientation
    wanted = ImageOps.exif_transpose(upright)
    found = decode(encoded(image, kind, exif=exif))
    assert (found.width, found.height) == wanted.size
    assert difference(found, wanted) < 5


def test_broken_exif_costs_the_orientation_only() -> None:
    for tiff in (b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\xff\xff\xff\xff", b"XX" * 9):
        exif = b"Exif\0\0" + tiff
        data = jpeg(1)
        data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
        assert decode(data).pixels.shape == (400, 400, 3)


def test_what_is_transparent_is_white() -> None:
    red = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    red.paste((0, 0, 255, 255), (0, 0, 50, 100))
    red.paste((0, 0, 0, 128), (50, 0, 100, 50))
    for kind in ("PNG", "WEBP", "AVIF"):
        found = decode(encoded(red, kind, **({} if kind == "PNG" else {"quality": 95})))
        assert np.allclose(found.pixels[90, 90], WHITE, atol=6), kind
        assert np.allclose(found.pixels[50, 20], (0, 0, 255), atol=12), kind
        assert np.allclose(found.pixels[20, 80], (127, 127, 127), atol=6), kind
    # Scaled, the red that nobody sees does not show at the edge.
    small = decode(encoded(red, "PNG"), 33).pixels
    assert (small[30, :, 0] <= small[30, :, 2]).all()


def test_palettes_grey_and_one_bit() -> None:
    palette = Image.new("P", (60, 60), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0, *(0,) * 762])
    palette.paste(0, (0, 0, 30, 60))
    found = decode(encoded(palette, "PNG", transparency=0)).pixels
    assert found[5, 5].tolist() == [255, 255, 255]
    assert found[5, 50].tolist() == [0, 255, 0]
    for kind in ("GIF", "PNG"):
        found = decode(encoded(palette, kind)).pixels
        assert found[5, 5].tolist() == [255, 0, 0]
    two = Image.new("LA", (60, 60), (0, 0))
    assert decode(encoded(two, "PNG")).pixels[5, 5].tolist() == [255, 255, 255]
    bits = Image.new("1", (60, 60), 1)
    assert decode(encoded(bits, "PNG")).pixels[5, 5].tolist() == [255, 255, 255]
    grey = ImageOps.grayscale(draw(3))
    for kind in ("JPEG", "PNG"):
        assert difference(decode(encoded(grey, kind)), grey) < 3
    # A colour that stands for transparent, in a picture without alpha.
    keyed = Image.new("RGB", (60, 60), (1, 2, 3))
    assert decode(encoded(keyed, "PNG", transparency=(1, 2, 3))).pixels[0, 0].tolist() == [*WHITE]


def test_of_sixteen_bits_the_upper_eight_are_the_picture() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None, :].repeat(64, 0)
    found = decode(encoded(Image.fromarray(ramp), "PNG")).pixels
    assert np.abs(found[:, :, 0].astype(int) - (ramp >> 8)).max() <= 1


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk(adobe: bool) -> None:
    image = draw(8, 300)
    data = encoded(image.convert("CMYK"), quality=95)
    assert b"Adobe" in data[:200]
    if adobe:
        # Photoshop's and Pillow's, stored inverted; the marker says so.
        assert difference(decode(data), image) < 6
    else:
        place = data.index(b"\xff\xee")
        plain = data[:place] + data[place + 2 + struct.unpack_from(">H", data, place + 2)[0] :]
        # Without the marker nothing says that it is inverted; it must come out as a picture.
        assert decode(plain).pixels.shape == (300, 300, 3)


def profile(red_as: float) -> bytes:
    """An RGB profile that is not sRGB: the one of Pillow with its red moved."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for index in range(struct.unpack_from(">I", data, 128)[0]):
        name, at, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if name == b"desc":
            data[at + 12 : at + size] = bytes(size - 12)
        if name == b"rXYZ":
            data[at + 8 : at + 20] = struct.pack(">iii", int(red_as * 65536), 14000, 300)
    return bytes(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_colours_are_brought_to_srgb(kind: str) -> None:
    image = Image.new("RGB", (64, 64), (200, 60, 60))
    options = {} if kind == "PNG" else {"quality": 95}
    plain = decode(encoded(image, kind, **options)).pixels[30, 30].astype(int)
    wide = profile(0.6)
    assert not is_srgb(wide)
    moved = decode(encoded(image, kind, icc_profile=wide, **options)).pixels[30, 30].astype(int)
    assert moved[0] - plain[0] > 10
    # sRGB itself, and what is no profile, change nothing.
    for same in (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), wide[:300]):
        found = decode(encoded(image, kind, icc_profile=same, **options)).pixels[30, 30]
        assert np.allclose(found, plain, atol=1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_picture_counts(kind: str) -> None:
    frames = [draw(seed, 120) for seed in range(5)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    found = decode(data)
    assert found.frames == 5
    assert difference(found, frames[0]) < 14


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_that_begins_with_an_empty_picture(kind: str) -> None:
    grey = Image.new("RGB", (120, 120), (128, 128, 128))
    # Each in another shade, for writers join frames that are alike.
    empty = [grey.point(lambda value, more=more: value + 12 * more) for more in range(9)]
    shown = draw(2, 120)
    found = decode(
        encoded(grey, kind, save_all=True, append_images=[empty[1], shown, draw(3, 120)])
    )
    assert found.frames == 4
    assert difference(found, shown) < 14
    # Only so many are looked at.
    found = decode(encoded(grey, kind, save_all=True, append_images=[*empty[1:], shown]))
    assert difference(found, grey) < 9
    found = decode(encoded(grey, kind, save_all=True, append_images=[empty[1]]))
    assert difference(found, grey) < 9


@pytest.mark.parametrize("missing", [1, 2, 3, 20, 200])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_a_jpeg_without_its_last_bytes_is_decoded(missing: int, options: Any) -> None:
    image = draw(4, 600)
    data = encoded(image, **options)
    for longest in (640, 150):
        found = decode(data[:-missing], longest)
        assert (found.width, found.height) == (600, 600)
        assert difference(found, image) < 10
    assert distance(hash_file(data[:-missing]), hash_file(data)) < 16


def test_of_a_progressive_jpeg_the_first_pass_must_be_whole() -> None:
    image = draw(4, 600)
    data = encoded(image, progressive=True)
    first = headers.read_header(data).first_pass
    for cut in range(first + 2, len(data), 97):
        assert difference(decode(data[:cut]), image) < 12
    with pytest.raises(PictureError, match="cut off"):
        decode(data[: first - 20])


@pytest.mark.parametrize("part", [0.3, 0.5, 0.8])
def test_a_jpeg_that_lacks_much_is_refused(part: float) -> None:
    data = jpeg(1)
    for read in (decode, hash_file):
        with pytest.raises(PictureError, match="cut off"):
            read(data[: int(part * len(data))])


def test_a_gif_whose_second_frame_is_huge() -> None:
    data = bytearray(gif(2))
    at = data.rindex(b"\x2c\0\0\0\0")
    data[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(PictureError, match="more than"):
        decode(bytes(data))


def gif(frames: int, before: bytes = b"") -> bytes:
    one = encoded(Image.new("P", (8, 8)), "GIF")
    at = one.rindex(b"\x2c\0\0\0\0")
    return one[:at] + before + one[at:-1] * frames + b";"


def truncated(kind: str, **options: object) -> bytes:
    data = encoded(draw(1), kind, **options)
    return data[: len(data) * 2 // 3]


LONG_COMMENT = b"\x21\xfe" + (b"\xff" + b"a" * 255) * 5000 + b"\0"

HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty file"),
    "svg": (b"<svg onload=alert(1)>", "not a JPEG"),
    "html": (b"<!doctype html><title>404</title>", "not a JPEG"),
    "tiff": (encoded(draw(1), "TIFF"), "TIFF is not taken"),
    "video": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "not a JPEG"),
    "too many bytes": (b"\xff" * 20_000_001, "larger than"),
    "png of 900 megapixels": (png_bomb(30_000, 30_000), "more than 50000000 pixels"),
    "png strip": (png_bomb(2_000_000_000, 2), "pixels"),
    "narrow": (png_bomb(4_000, 8), "narrow"),
    "tiny": (encoded(draw(1, 20).resize((4, 4)), "PNG"), "too few"),
    "png without data": (png_bomb(600, 600), "broken"),
    "png of many chunks": (png_bomb(9, 9, png_chunk(b"tEXt", b"a\0b") * 30_000), "chunks"),
    "png text bomb": (
        png_bomb(64, 64, png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000)))),
        "broken",
    ),
    "png cut off": (truncated("PNG"), "broken"),
    "webp cut off": (truncated("WEBP"), "broken"),
    "gif cut off": (truncated("GIF"), "broken"),
    "avif cut off": (truncated("AVIF"), "broken"),
    "heic cut off": (truncated("HEIC"), "broken"),
    "jpeg cut off": (truncated("JPEG"), "cut off"),
    "jpeg cut off in its header": (jpeg(1)[:300], "broken"),
    "jpeg of nothing": (b"\xff\xd8\xff\xd9", "ends before"),
    "jpeg of two bytes and a marker": (b"\xff\xd8\xff", "cut off"),
    "jpeg of endless segments": (b"\xff\xd8" + b"\xff\xfe\0\2" * 3000, "segments"),
    "gif of many frames": (gif(20_000), "frames"),
    "gif with an endless comment": (gif(1, LONG_COMMENT), "before the first frame"),
    "gif without a frame": (b"GIF89a\x40\0\x40\0\0\0\0;", "without a frame"),
    "compressed bmp": (
        b"BM" + bytes(8) + struct.pack("<IIiiHHI", 54, 40, 100, 100, 1, 8, 1) + bytes(99),
        "compressed BMP",
    ),
    "webp of another kind": (b"RIFF\x20\0\0\0WEBPVP9 " + bytes(40), "without a picture"),
}


@pytest.mark.parametrize(("data", "said"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_end_in_one_error(data: bytes, said: str) -> None:
    with pytest.raises(PictureError, match=said):
        decode(data)


@pytest.mark.parametrize(
    "odd", [b"\xff\0\0\x13", b"\xff\xfe\0\0", b"\xff\xfe\0\1", b"\xff\xd8\0\2"]
)
def test_a_jpeg_whose_size_is_read_otherwise_by_decoders(odd: bytes) -> None:
    """A frame header of 4,300 megapixels where a reader that is not careful steps over it."""
    frame = b"\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\3\1\x22\0\2\x11\1\3\x11\1"
    data = jpeg(1)
    with pytest.raises(PictureError, match="a JPEG segment that is none"):
        decode(data[:2] + odd + frame + data[2:])


def test_a_gif_whose_first_frame_is_larger_than_its_screen() -> None:
    data = bytearray(encoded(Image.new("P", (20, 20)), "GIF"))
    at = data.rindex(b"\x2c\0\0\0\0")
    data[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(PictureError, match="more than"):
        decode(bytes(data))


def test_frames_of_a_gif_are_counted_without_being_read() -> None:
    assert decode(gif(700)).frames == 700


def test_a_jpeg_of_very_many_passes_is_decoded_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def apart(data: bytes, kind: str, longest: int) -> None:
        asked.append(kind)
        raise PictureError("stopped here")

    # The package exports the function of the same name.
    module = importlib.import_module("matchers.pictures.decode")
    monkeypatch.setattr(module, "render_apart", apart)
    with pytest.raises(PictureError, match="stopped here"):
        decode(scan_bomb(600, 3000))
    assert asked == ["JPEG"]
    assert decode(scan_bomb(600, 2)).width == 600


def test_what_follows_the_first_pass_of_a_sequential_jpeg_is_no_pass() -> None:
    data = jpeg(1)
    assert headers.read_header(data + data).scans == 1


MEMORY = """
import resource, sys
from matchers.pictures.decode import decode, PictureError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(decode(sys.stdin.buffer.read()).pixels.shape, end=" ")
except PictureError as error:
    print("error", end=" ")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(("kind", "side"), [("JPEG", 875), ("PNG", 1120)])
def test_a_large_picture_takes_little_memory_of_the_process(kind: str, side: int) -> None:
    image = Image.new("RGB", (7000, 7000), (200, 30, 60))
    answer = subprocess.run(
        [sys.executable, "-c", MEMORY], input=encoded(image, kind), capture_output=True, check=True
    ).stdout.decode()
    shape, _, grown = answer.rpartition(" ")
    assert shape == f"({side}, {side}, 3)"
    # 49 megapixels are 147 MB in full.
    assert int(grown) < 60_000, answer


def check(data: bytes) -> None:
    """A picture or the error, nothing else."""
    try:
        found = decode(data, 64)
    except PictureError:
        return
    high, wide, colours = found.pixels.shape
    assert 0 < high <= 64
    assert 0 < wide <= 64
    assert colours == 3
    assert found.frames >= 1
    assert found.width * found.height <= MAX_PIXELS


STARTS = [
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a", b"RIFF\0\1\0\0WEBPVP8 ",
    b"RIFF\0\1\0\0WEBPVP8L", b"RIFF\0\1\0\0WEBPVP8X", b"BM\0\0\0\0\0\0\0\0", b"\0\0\0\x1cftypavif",
    b"\0\0\0\x1cftypheic", b"",
]  # fmt: skip


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_an_error(start: bytes, noise: bytes) -> None:
    check(start + noise)


def _samples() -> dict[str, bytes]:
    image = draw(3, 48)
    alpha = image.convert("RGBA")
    alpha.putalpha(100)
    frames = [draw(seed, 48) for seed in range(3)]
    exif = Image.Exif()
    exif[0x0112] = 6
    more = {"save_all": True, "append_images": frames}
    return {
        "jpeg": encoded(image, exif=exif, icc_profile=profile(0.5)),
        "progressive": encoded(image, progressive=True),
        "grey": encoded(ImageOps.grayscale(image)),
        "cmyk": encoded(image.convert("CMYK")),
        "png": encoded(alpha, "PNG"),
        "palette": encoded(image.convert("P"), "PNG", transparency=3),
        "apng": encoded(frames[0], "PNG", **more),
        "gif": encoded(frames[0], "GIF", **more),
        "webp": encoded(alpha, "WEBP", exif=exif),
        "lossy": encoded(image, "WEBP"),
        "lossless": encoded(alpha, "WEBP", lossless=True),
        "animated": encoded(frames[0], "WEBP", **more),
        "bmp": encoded(image, "BMP"),
        "avif": encoded(image, "AVIF"),
        "heic": encoded(image, "HEIC"),
    }


SAMPLES = _samples()
Change = tuple[float, bytes, bool]
changes: st.SearchStrategy[list[Change]] = st.lists(
    st.tuples(st.floats(0, 1), st.binary(max_size=20), st.booleans()), min_size=1, max_size=4
)


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40)
@given(changes=changes, cut=st.one_of(st.none(), st.floats(0, 1)))
def test_any_change_of_a_picture_is_a_picture_or_an_error(
    name: str, changes: list[Change], cut: float | None
) -> None:
    data = bytearray(SAMPLES[name])
    for place, noise, inserted in changes:
        at = int(place * len(data))
        data[at : at if inserted else at + len(noise)] = noise
    check(bytes(data if cut is None else data[: int(cut * len(data))]))


def test_samples_are_whole() -> None:
    for name, data in SAMPLES.items():
        assert decode(data).width == 48, name
