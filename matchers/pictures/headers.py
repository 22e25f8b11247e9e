"""What a picture file says of itself, read before anything of it is decoded.

Of the formats: JPEG (ITU-T T.81, annex B), PNG (W3C, third edition), GIF (89a), WebP
(RFC 9649), BMP, and the boxes of HEIF and AVIF (ISO/IEC 14496-12, file type box only).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from matchers.pictures.rendering import MAX_PIXELS, MORE_FRAMES, PictureError, check_size

MAX_BYTES = 20_000_000
#: Segments of a JPEG before its picture; cameras write some tens.
MAX_SEGMENTS = 2_000
#: Chunks of a PNG; writers that cut it into small ones write some thousands.
MAX_CHUNKS = 20_000
MAX_FRAMES = 10_000
#: Bytes of a GIF's comments and the like before its first frame.
MAX_EXTENSIONS = 1_000_000

#: Media type to Pillow's name of the format.
FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"}
#: In entropy-coded data 0xFF is followed by 0, by a restart marker, or begins a marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
CUT_OFF = "broken picture: a JPEG that is cut off"
_TAKEN = "JPEG, PNG, WebP, GIF, AVIF, HEIC or BMP picture"


@dataclass(frozen=True, slots=True)
class Header:
    """What is known before decoding.

    Parameters
    ----------
    width, height
        Pixels as stored, before EXIF orientation; 0 where only the decoder can tell (AVIF,
        HEIC).
    frames
        Of a GIF; 0 where the decoder tells.
    components, scans, orientation, profile
        Of a JPEG: colour components, passes over the picture, EXIF orientation, ICC profile.
    first_pass
        Of a progressive JPEG: where its first pass ends, if that holds the mean of every
        8 × 8 block (the DC coefficients) of the first component; 0 otherwise.
    cut
        Of a JPEG without its end: how many of its bytes can be decoded; 0 for a whole one.
    """

    media_type: str
    width: int = 0
    height: int = 0
    frames: int = 0
    components: int = 0
    scans: int = 0
    orientation: int = 1
    profile: bytes = b""
    first_pass: int = 0
    cut: int = 0


def media_type(data: bytes) -> str:
    """The media type of a picture, by its first bytes.

    Raises
    ------
    PictureError
        If it is none that we take.
    """
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _boxed(data)
    if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if not data:
        raise PictureError("an empty file")
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise PictureError(f"TIFF is not taken: not a {_TAKEN}")
    raise PictureError(f"not a {_TAKEN}")


def _boxed(data: bytes) -> str:
    size = min(int.from_bytes(data[:4], "big"), 512)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    if b"avif" in brands or b"avis" in brands:
        return "image/avif"
    if _HEIF_BRANDS.intersection(brands):
        return "image/heic"
    raise PictureError(f"an ISO media file, but not a {_TAKEN}")


def read_header(data: bytes) -> Header:
    """Read the header, and refuse what would be too much before it is decoded.

    Raises
    ------
    PictureError
        If it is too large, none that we take, or broken.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(f"larger than {MAX_BYTES} bytes")
    kind = media_type(data)
    reader = _READERS.get(kind)
    if reader is None:
        return Header(kind)
    try:
        header = reader(data)
    except (struct.error, IndexError) as error:
        raise PictureError(f"broken picture: the {FORMATS[kind]} header is cut off") from error
    check_size(header.width, header.height)
    return header


def _jpeg(data: bytes) -> Header:
    width = height = components = frame = 0
    orientation = 1
    profile: list[bytes] = []
    at = 2
    for _ in range(MAX_SEGMENTS):
        if data[at] != 0xFF:
            raise PictureError("broken picture: no JPEG marker where one must be")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        if marker == 0xD9:
            raise PictureError("broken picture: a JPEG that ends before its picture")
        (length,) = struct.unpack_from(">H", data, at)
        if marker in (0x00, 0xD8) or length < 2:
            # Decoders go on differently here, and would find another size than is read here.
            raise PictureError("broken picture: a JPEG segment that is none")
        if marker == 0xDA:
            break
        body = data[at + 2 : at + length]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame = marker
            _, height, width, components = struct.unpack_from(">BHHB", body)
        elif marker == 0xE1 and body[:6] == b"Exif\0\0" and orientation == 1:
            orientation = exif_orientation(body[6:])
        elif marker == 0xE2 and body[:12] == b"ICC_PROFILE\0":
            # In order in every file that a known program writes.
            profile.append(body[14:])
        at += length
    else:
        raise PictureError(f"more than {MAX_SEGMENTS} segments before the picture")
    if not components:
        raise PictureError("broken picture: a JPEG without a frame header")
    if frame in (0xC0, 0xC1) and data[at + 2] == components:
        scans = 1  # sequential, and all components in the first: decoders stop after it
    else:
        scans = 1 + data.count(b"\xff\xda", at)
    end = _end_of_first_pass(data, at, length) if frame == 0xC2 else 0
    cut = 0
    if data.rfind(b"\xff\xd9", at) < 0:
        if frame == 0xC2 and not end:
            raise PictureError(CUT_OFF)
        cut = _last_whole(data, at + length)
    icc = b"".join(profile)
    return Header("image/jpeg", width, height, 1, components, scans, orientation, icc, end, cut)


def _end_of_first_pass(data: bytes, at: int, length: int) -> int:
    """As `Header.first_pass`; `at` is where the first scan's header says its own length."""
    scan = data[at + 2 : at + length]
    # Spectral selection from 0 to 0, and the first of successive approximations.
    if not scan or scan[0] < 1 or scan[-3:-1] != b"\0\0" or scan[-1] >> 4:
        return 0
    found = _MARKER.search(data, at + length)
    return found.start() if found else 0


def _last_whole(data: bytes, at: int) -> int:
    """Where a cut JPEG ends, without the segment between two scans in which it was cut."""
    last: re.Match[bytes] | None = None
    for found in _MARKER.finditer(data, at):
        last = found
    if last is not None:
        length = int.from_bytes(data[last.end() : last.end() + 2], "big")
        if last.end() + max(length, 2) > len(data):
            return last.start()
    return len(data)


def exif_orientation(tiff: bytes) -> int:
    """The orientation in the first directory of EXIF data, 1 where there is none."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for entry in range(first + 2, first + 2 + 12 * min(count, 500), 12):
            tag, kind = struct.unpack_from(order + "HH", tiff, entry)
            if tag == 0x0112 and kind == 3:
                (value,) = struct.unpack_from(order + "H", tiff, entry + 8)
                return value if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass  # broken metadata costs the orientation, not the picture
    return 1


def _png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise PictureError("broken picture: a PNG without a header")
    width, height = struct.unpack_from(">II", data, 16)
    at = 8
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            break
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    else:
        raise PictureError(f"more than {MAX_CHUNKS} chunks in a PNG")
    return Header("image/png", width, height)


def _gif(data: bytes) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    frames = 0
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0x21:
            at = _sub_blocks(data, at + 2)
            if not frames and at > MAX_EXTENSIONS:
                raise PictureError(f"more than {MAX_EXTENSIONS} bytes before the first frame")
        elif data[at] == 0x2C:
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            if not frames:
                # The first frame may stand out of the screen, and enlarges it then.
                width, height = max(width, left + wide), max(height, top + high)
            elif frames <= MORE_FRAMES and (left + wide) * (top + high) > MAX_PIXELS:
                raise PictureError(f"a frame of more than {MAX_PIXELS} pixels")
            frames += 1
            if frames > MAX_FRAMES:
                raise PictureError(f"more than {MAX_FRAMES} frames")
            at += 10 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
            at = _sub_blocks(data, at + 1)
        else:
            # Readers show what came before.
            break
    if not frames:
        raise PictureError("broken picture: a GIF without a frame")
    return Header("image/gif", width, height, frames)


def _sub_blocks(data: bytes, at: int) -> int:
    """The place after a row of a GIF's data blocks."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _webp(data: bytes) -> Header:
    chunk = data[12:16]
    if chunk == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif chunk == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    elif chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        raise PictureError("broken picture: a WebP without a picture")
    return Header("image/webp", width, height)


def _bmp(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
        return Header("image/bmp", width, height, 1)
    width, height, _, _, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression not in (0, 3):
        raise PictureError("a compressed BMP, which is not taken")
    return Header("image/bmp", abs(width), abs(height), 1)


_READERS = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/gif": _gif,
    "image/webp": _webp,
    "image/bmp": _bmp,
}
