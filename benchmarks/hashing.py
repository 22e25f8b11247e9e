"""Hashes of whole pictures: from file to hash, and looked up among a million.

Peers: `imagehash.phash`, the usual open answer; and `faiss.IndexBinaryFlat`, a scan of all
hashes in SIMD code. Both sides run on one core. The photographs are those of
`$TOUCHSTONE_DATA/photos`, brought to 1,000 pixels; where they are not there, a line says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import cv2
import faiss
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.measure import Result, in_turn
from matchers.pictures.hashes_index import HashIndex
from matchers.pictures.whole import hash_file, whole_hash

DATA = Path(os.environ.get("TOUCHSTONE_DATA", Path(__file__).parents[2] / "shared" / "data"))
SIDE = 1000
FILES = 60
#: JPEG's quality as shops set it, and the two kinds of JPEG.
QUALITY = 85
REFERENCES = 1_000_000
QUERIES = 200
SEED = 20261125
#: Bits within which PDQ's makers call two pictures the same; and as far as the index goes.
RADII = (31, 47)


def run() -> Iterator[Result]:
    """File to hash, then look-up."""
    threads = cv2.getNumThreads(), faiss.omp_get_max_threads()
    cv2.setNumThreads(1)
    faiss.omp_set_num_threads(1)
    try:
        yield from _files()
        yield from _look_up()
    finally:
        cv2.setNumThreads(threads[0])
        faiss.omp_set_num_threads(threads[1])


def _files() -> Iterator[Result]:
    drawn = [_drawn(seed) for seed in range(FILES)]
    photos = _photos()
    yield _hashing("drawn pictures", [_jpeg(image) for image in drawn])
    if not photos:
        nothing = f"not measured: no photographs in {DATA / 'photos'}"
        yield Result("file to hash, photographs", nothing, nothing, "not measured")
        return
    yield _hashing("photographs", [_jpeg(image) for image in photos])
    yield _hashing("photographs, progressive", [_jpeg(image, True) for image in photos])


def _hashing(what: str, files: list[bytes]) -> Result:
    mine, theirs, ratio = in_turn(
        lambda: [hash_file(data) for data in files],
        lambda: [imagehash.phash(Image.open(BytesIO(data))) for data in files],
    )
    size = sum(map(len, files)) // len(files) // 1000
    return Result(
        f"file to hash: {len(files)} {what}, JPEG of {SIDE} px, {size} kB each",
        f"{len(files) / mine:.0f} a second, 256 bits",
        f"imagehash.phash: {len(files) / theirs:.0f} a second, 64 bits",
        f"{theirs / mine:.1f} times as fast; {ratio}",
    )


def _look_up() -> Iterator[Result]:
    dice = np.random.default_rng(SEED)
    references, real = _references(dice)
    sources = dice.integers(0, REFERENCES, QUERIES)
    queries = np.array([_turned(references[row], dice) for row in sources])
    index = HashIndex.build(references)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(references)
    for radius in RADII:
        ours = index.search(queries, radius)
        limits, distances, ids = flat.range_search(queries, radius + 1)
        rows = np.repeat(np.arange(QUERIES), np.diff(limits.astype(np.int64)))
        expected = set(zip(rows.tolist(), ids.tolist(), distances.tolist(), strict=True))
        found = set(zip(*(column.tolist() for column in ours), strict=True))
        for together in (1, QUERIES):
            mine, theirs, ratio = in_turn(
                lambda size=together, within=radius: [  # type: ignore[misc]
                    index.search(queries[at : at + size], within) for at in range(0, QUERIES, size)
                ],
                lambda size=together, within=radius: [  # type: ignore[misc]
                    flat.range_search(queries[at : at + size], within + 1)
                    for at in range(0, QUERIES, size)
                ],
                rounds=3,
            )
            yield Result(
                f"look-up among {REFERENCES:,} hashes ({real:,} of photographs), all within "
                f"{radius} bits, {together} at a time",
                f"{mine / QUERIES * 1000:.2f} ms, {len(found & expected)} of {len(expected)} found",
                f"faiss flat scan: {theirs / QUERIES * 1000:.2f} ms",
                f"{theirs / mine:.1f} times as fast, "
                f"{'the same answers' if found == expected else 'OTHER ANSWERS'}; {ratio}",
            )


def _references(dice: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
    """Hashes of parts of the photographs, whose bits hang together, and random ones."""
    hashes = dice.integers(0, 256, (REFERENCES, 32), np.uint8)
    real = 0
    for image in _photos():
        grey = np.asarray(image.convert("L").resize((150, 200), Image.Resampling.BOX))
        for _ in range(500):
            high, wide = (int(side * dice.uniform(0.4, 1)) for side in grey.shape)
            top = dice.integers(0, grey.shape[0] - high + 1)
            left = dice.integers(0, grey.shape[1] - wide + 1)
            part = np.ascontiguousarray(grey[top : top + high, left : left + wide])
            hashes[real] = np.frombuffer(whole_hash(part), np.uint8)
            real += 1
    return dice.permutation(hashes), real


def _turned(reference: NDArray[np.uint8], dice: np.random.Generator) -> NDArray[np.uint8]:
    """A copy in which up to 60 bits differ."""
    bits = np.unpackbits(reference)
    bits[dice.permutation(256)[: dice.integers(0, 61)]] ^= 1
    return np.packbits(bits)


def _photos() -> list[Image.Image]:
    files = sorted((DATA / "photos").glob("*/*.jpg"))
    step = max(1, len(files) // FILES)
    return [_sized(Image.open(path).convert("RGB")) for path in files[::step][:FILES]]


def _sized(image: Image.Image) -> Image.Image:
    part = SIDE / max(image.size)
    return image.resize((round(image.width * part), round(image.height * part)))


def _drawn(seed: int) -> Image.Image:
    """Shapes on a ground that shades and is grained, as a photograph's is."""
    dice = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    ground = 90 + 120 * (rows * dice.random() + columns * dice.random())
    grained = ground[..., None] + dice.normal(0, 4, (SIDE, SIDE, 3))
    image = Image.fromarray(grained.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for _ in range(14):
        left, top = dice.integers(0, SIDE, 2).tolist()
        wide, high = dice.integers(SIDE // 8, SIDE // 2, 2).tolist()
        shape = pen.rectangle if dice.random() < 0.5 else pen.ellipse
        shape((left, top, left + wide, top + high), fill=tuple(dice.integers(0, 256, 3).tolist()))
    return image


def _jpeg(image: Image.Image, progressive: bool = False) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, progressive=progressive)
    return buffer.getvalue()
