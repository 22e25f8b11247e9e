"""Finding edited pictures: ours beside ImageHash and PDQ, per edit, and its time at 10,000.

All see the same files. References are photographs from `TOUCHSTONE_DATA` (where they are
there) and pictures drawn by our code; the listing's pictures are references after each of the
sellers' edits, and pictures that are no reference: as they are, edited, and with another thing
in a reference's room. A false match is a picture with any match with a reference that it does
not show.

Which pictures set what and which are reported: `benchmarks.picture_sets`.

`python -m benchmarks.pictures --each 40 --edited 10` for larger samples; about six minutes of
one core as it is. `--edit NAME` only measures recall after this one. `--negatives 10000` only
counts false matches, among so many edited pictures that show no reference.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from random import Random

import cv2
import faiss
import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks import picture_logos
from benchmarks.false_matches import false_matches
from benchmarks.measure import Result, interval
from benchmarks.picture_logos import REGISTERED, Logo
from benchmarks.picture_sets import (
    FIT,
    SEED,
    SET,
    Named,
    Part,
    Shown,
    drawn,
    jpeg,
    photographs,
    picture_of,
    shown,
)
from benchmarks.seller_edits import BEYOND, EDITS
from matchers.pictures import Reference, ReferenceIndex, Traits, decode, traits
from matchers.pictures.traits import Kind

RATE = 1e-4


@dataclass(slots=True)
class Counts:
    """What one method did: distances to the right reference and to the nearest wrong one."""

    right: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)


class Hashes:
    """A peer: one hash of each reference, the nearest counts; `forms` are the picture's."""

    def __init__(self, name: str, references: list[bytes]) -> None:
        self.name = name
        self._rows = np.array([self._hash(data)[0] for data in references])

    def _hash(self, data: bytes) -> NDArray[np.uint64]:
        picture = Image.open(BytesIO(data))
        if self.name.startswith("PDQ"):
            pixels = np.asarray(picture.convert("RGB"))
            if "forms" in self.name:
                bits = np.array(pdqhash.compute_dihedral(pixels)[0])
            else:
                bits = pdqhash.compute(pixels)[0][None]
        else:
            work = imagehash.dhash if "dhash" in self.name else imagehash.phash
            bits = work(picture, hash_size=int(self.name.split()[-1])).hash.reshape(1, -1)
        packed = np.packbits(np.asarray(bits, np.uint8), axis=1)
        return np.ascontiguousarray(packed).view(np.uint64)

    def distances(self, data: bytes) -> NDArray[np.float64]:
        """To every reference."""
        forms = self._hash(data)
        apart = np.bitwise_count(self._rows[:, None] ^ forms[None]).sum(2, dtype=np.int64)
        return np.asarray(apart.min(1), float)


PEERS = ("ImageHash phash 8", "ImageHash phash 16", "ImageHash dhash 16", "PDQ", "PDQ, 8 forms")


def _ours(index: ReferenceIndex, shown: Shown) -> tuple[float, float, bool]:
    """1 minus confidence, for the right reference and for the surest wrong one.

    And whether another photograph of the same thing matches.
    """
    right = wrong = 2.0
    again = False
    for found in index.search(decode(shown.data)):
        number = int(found.key)
        if number == shown.truth:
            right = 1 - found.confidence
        elif number in shown.again:
            again = True
        else:
            wrong = min(wrong, 1 - found.confidence)
    return right, wrong, again


def _limit(counts: Counts, pictures: list[Shown]) -> float:
    """The loosest limit with at most `RATE` false matches among the tuning pictures."""
    wrong = sorted(w for w, p in zip(counts.wrong, pictures, strict=True) if p.tuning)
    return wrong[int(RATE * len(wrong))] - 1e-9


def recall(each: int = 16, edited: int = 3, only: str | None = None) -> Iterator[Result]:
    """Recall per edit, or of one edit only, on the part that set no limit."""
    photos = [Named(p.stem[:8], p.read_bytes()) for p in photographs()[FIT:]]
    made = drawn(80 if photos else 240)
    half = len(made) // 2
    parts = (
        Part.of(True, photos[:SET] + made[:half]),
        Part.of(False, photos[SET:] + made[half:]),
    )
    references = [named.data for part in parts for named in part.references]
    index = ReferenceIndex.build(
        Reference(str(number), "reference", traits(decode(data)))
        for number, data in enumerate(references)
    )
    peers = [Hashes(name, references) for name in PEERS]
    counts = {name: Counts() for name in ("ours", *PEERS)}
    pictures: list[Shown] = []
    same_again = 0
    for picture in shown(parts, each, edited, only):
        pictures.append(replace(picture, data=b""))
        # Ours has set its threshold already.
        right, wrong, again = (2.0, 2.0, False) if picture.tuning else _ours(index, picture)
        same_again += again
        counts["ours"].right.append(right)
        counts["ours"].wrong.append(wrong)
        for peer in peers:
            apart = peer.distances(picture.data)
            counts[peer.name].right.append(apart[picture.truth] if picture.truth >= 0 else 999)
            apart[[*picture.again, *([picture.truth] if picture.truth >= 0 else [])]] = 999
            counts[peer.name].wrong.append(float(apart.min()))
    limits = {name: _limit(counts[name], pictures) for name in PEERS} | {"ours": 0.5}
    yield from _table(pictures, counts, limits)
    yield Result("matches of the same thing photographed again", str(same_again), "", "")
    reported = [picture for picture in pictures if not picture.tuning]
    yield Result(
        "how it was measured",
        f"{len(references)} references; {len(reported)} pictures held against them, of which "
        f"{sum(p.truth >= 0 for p in reported)} show one, edited; seed {SEED}",
        f"limits set on {len(pictures) - len(reported)} other pictures: "
        + ", ".join(f"{name} {int(limits[name] + 1)}" for name in PEERS),
        "imagededup's PHash is ImageHash's phash 8" if photos else "no photographs: drawn only",
    )


def _table(
    pictures: list[Shown], counts: dict[str, Counts], limits: dict[str, float]
) -> Iterator[Result]:
    tested = [n for n, picture in enumerate(pictures) if not picture.tuning]
    shares: dict[str, list[float]] = {name: [] for name in counts}
    worst = ("", 1.0)
    for edit in (*EDITS, *BEYOND):
        of = [n for n in tested if pictures[n].edit == edit.name]
        if not of:
            continue
        hits = {
            name: sum(count.right[n] <= limits[name] for n in of) for name, count in counts.items()
        }
        if edit not in BEYOND:
            for name, number in hits.items():
                shares[name].append(number / len(of))
            worst = min(worst, (edit.name, hits["ours"] / len(of)), key=lambda w: w[1])
        low, high = interval(hits["ours"], len(of))
        yield Result(
            f"recall: {edit.name}" + (" (beyond the issue's)" if edit in BEYOND else ""),
            f"{hits['ours'] / len(of):.2f} ({low:.2f} to {high:.2f}, n = {len(of)})",
            "; ".join(f"{name} {hits[name] / len(of):.2f}" for name in PEERS),
            "",
        )
    dice = np.random.default_rng(SEED)
    means = np.array(shares["ours"])
    draws = np.sort(dice.choice(means, (2000, len(means))).mean(1))
    best = max(float(np.mean(shares[name])) for name in PEERS)
    yield Result(
        "recall: mean over the edits",
        f"{means.mean():.3f} ({draws[50]:.3f} to {draws[1949]:.3f} by bootstrap over edits); "
        f"least {worst[1]:.2f} ({worst[0]})",
        "; ".join(f"{name} {np.mean(shares[name]):.3f}" for name in PEERS),
        f"{means.mean() - best:+.2f} over the best peer",
    )
    for kind in (
        "all",
        "edited reference",
        "no reference",
        "no reference, edited",
        "same room, other thing",
    ):
        of = [
            n for n in tested
            if kind == "all"
            or (pictures[n].truth >= 0 if kind == "edited reference" else pictures[n].edit == kind)
        ]  # fmt: skip
        false = {
            name: sum(count.wrong[n] <= limits[name] for n in of) for name, count in counts.items()
        }
        _, high = interval(false["ours"], len(of))
        yield Result(
            f"false matches: {kind}",
            f"{false['ours']} of {len(of)} (below {high:.4f})",
            "; ".join(f"{name} {false[name]}" for name in PEERS),
            "",
        )


def timing(count: int = 10_000, queries: int = 120) -> Iterator[Result]:
    """From file to matches with so many references and logos, one thread.

    The pictures are brought to 1,000 pixels, as marketplaces show them.
    """
    files = [path.read_bytes() for path in photographs()] or [n.data for n in drawn(200)]
    dice = Random(SEED)
    bases = [traits(decode(data)) for data in files[:300]]
    logos = [traits(decode(jpeg(Logo.of(number).draw()))) for number in range(REGISTERED)]
    many = count * 3 // 100
    index = ReferenceIndex.build(
        [*_filled(bases, count - many, "reference"), *_filled(logos, many, "logo")]
    )
    faiss.omp_set_num_threads(1)
    cv2.setNumThreads(1)
    seconds = []
    with threadpool_limits(1):
        for number in range(queries):
            data = files[-1 - number % (len(files) // 2)]
            if number % 2:
                edit = dice.choice([e for e in EDITS if not e.needs])
                data = edit(picture_of(files[number]), dice)
            picture = picture_of(data)
            scale = 1000 / max(picture.size)
            sides = round(picture.width * scale), round(picture.height * scale)
            data = jpeg(picture.resize(sides))
            began = time.process_time()
            index.search(decode(data))
            seconds.append(time.process_time() - began)
    middle, high = np.percentile(np.array(seconds) * 1e3, [50, 95])
    yield Result(
        f"a listing's picture of 1,000 pixels, from file to matches, {count:,} references",
        f"{middle:.0f} ms in the median, {high:.0f} ms at the 95th percentile, of one core",
        "limit: 50 ms and 250 ms",
        f"of the references {many} are logos; {len(bases)} photographs and {len(logos)} logos are "
        f"real, the others these with noise on their corners; {queries} pictures, half of them "
        "edited references",
    )


def _filled(bases: list[Traits], count: int, kind: Kind) -> Iterator[Reference]:
    """So many references: real ones, then the same with noise, as if of other things."""
    noise = np.random.default_rng(SEED)
    for number in range(count):
        kept = bases[number % len(bases)]
        if number >= len(bases):
            values = kept.descriptors + noise.normal(0, 20, kept.descriptors.shape)
            descriptors = np.clip(np.rint(values), -127, 127).astype(np.int8)
            kept = replace(kept, descriptors=descriptors, whole=noise.bytes(32))
        yield Reference(f"{kind} {number}", kind, kept)


def run(each: int = 16, edited: int = 3) -> Iterator[Result]:
    """Recall per edit, false matches, logos, and time."""
    yield from recall(each, edited)
    yield from picture_logos.run()
    yield from timing()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--each", type=int, default=16, help="pictures of each edit")
    parser.add_argument("--edited", type=int, default=3, help="edits of each other picture")
    parser.add_argument("--edit", help="recall after this edit only, by its name in the table")
    parser.add_argument("--negatives", type=int, help="only false matches, among so many pictures")
    parser.add_argument("--seed", type=int, default=SEED, help="of the negatives' edits")
    words = parser.parse_args()
    if words.negatives is not None:
        results = false_matches(words.negatives, words.seed)
    elif words.edit is not None:
        results = recall(words.each, words.edited, words.edit)
    else:
        results = run(words.each, words.edited)
    for result in results:
        print(f"| {result.what} | {result.ours} | {result.peer} | {result.verdict} |", flush=True)


if __name__ == "__main__":
    main()
