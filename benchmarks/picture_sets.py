"""Which pictures the benchmark of pictures holds against which, and what they truly show.

The photographs are shuffled once. On the first 550 (`FIT` and `SET`) our verdict was fitted and its
threshold set, and the limits of ImageHash and PDQ are set on the later 250 of these here. What is
reported is made of the remaining 450 only. References of both of these parts are in one index.

The photographs hold a few things that were photographed twice. They are listed in `AGAIN`, by
eye. A second photograph of the same thing is no copy and no other thing either, so a match of
such a pair is counted apart, as are drawn pictures of the same thing in other colours. Other
things in the same room, of which there are many, are negatives like any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from bazaar.pictures import MOTIFS, PALETTES, PATTERNS, render, scene_of
from benchmarks.seller_edits import BEYOND, EDITS, other_thing

SEED = 20
#: Photographs of each part, the rest is reported; see above.
FIT, SET = 300, 250
#: The same thing, photographed twice: how the names of the files begin.
AGAIN = {
    frozenset(pair)
    for pair in (
        ("51e600b8", "c8582c70"),
        ("5e944547", "79307c6e"),
        ("0979a14e", "ad5095c6"),
        ("62bb46a5", "c258578a"),
    )
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a listing.

    Parameters
    ----------
    truth
        The number of the reference it shows, or −1.
    tuning
        Whether it sets limits; the others are reported.
    again
        References that show the same thing in another photograph.
    """

    edit: str
    truth: int
    tuning: bool
    data: bytes
    again: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Named:
    """A picture's file; `name` is how the file's name begins, or the thing that is drawn."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """The pictures that set limits, or those that are reported."""

    tuning: bool
    references: list[Named]
    others: list[Named]
    mixed: list[Named]

    @classmethod
    def of(cls, tuning: bool, files: list[Named]) -> Part:
        """Six tenths are references, three others, one is mixed into collages."""
        Random(SEED).shuffle(files)
        first, second = int(0.6 * len(files)), int(0.9 * len(files))
        return cls(tuning, files[:first], files[first:second], files[second:])


def photographs() -> list[Path]:
    """The photographs in `TOUCHSTONE_DATA`, shuffled; none where there are none."""
    here = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("TOUCHSTONE_DATA", here.parent / "shared/data")) / "photos"
    found = sorted(folder.glob("*/*.jpg"))
    Random(SEED).shuffle(found)
    return found


def drawn(count: int, seed: int = SEED) -> list[Named]:
    """Pictures drawn by our code, named by the thing on them."""
    dice = Random(seed)
    files = []
    for number in range(count):
        motif = sorted(MOTIFS)[number % len(MOTIFS)]
        scene = scene_of(
            motif, dice.choice(PALETTES), dice,
            word=dice.choice(["Alba", "NORD", "Kite"]), pattern=dice.choice(PATTERNS),
            tidy=dice.random() < 0.5,
        )  # fmt: skip
        files.append(Named(motif, jpeg(render(scene, 480))))
    return files


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    """A JPEG file."""
    buffer = BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def picture_of(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def shown(
    parts: tuple[Part, ...], each: int, edited: int, only: str | None = None
) -> Iterator[Shown]:
    """All listing pictures: edits of references, then what is no reference; or one edit only."""
    names = [named.name for part in parts for named in part.references]
    first = 0
    for part in parts:
        mine = range(first, first + len(part.references))
        first = mine.stop
        mixers = [picture_of(named.data) for named in part.mixed[:40]]
        for edit in (*EDITS, *BEYOND):
            if only not in (None, edit.name):
                continue
            dice = Random(f"{SEED}{edit.name}{part.tuning}")
            # Few of these are needed to set a limit.
            for at in dice.sample(range(len(mine)), min(len(mine), each // (4**part.tuning))):
                named = part.references[at]
                data = edit(picture_of(named.data), dice, dice.sample(mixers, edit.needs))
                yield Shown(edit.name, mine[at], part.tuning, data, same_thing(named, names))
        if only is not None:
            continue
        dice = Random(f"{SEED}{part.tuning}")
        for named in part.others:
            again = same_thing(named, names)
            yield Shown("no reference", -1, part.tuning, named.data, again)
            for edit in dice.sample(EDITS, edited):
                data = edit(picture_of(named.data), dice, dice.sample(mixers, edit.needs))
                yield Shown("no reference, edited", -1, part.tuning, data, again)
        for named in dice.sample(part.references, min(len(mine), 4 * each)):
            room = other_thing(picture_of(named.data), dice.choice(mixers), dice)
            yield Shown("same room, other thing", -1, part.tuning, room)


def same_thing(named: Named, names: list[str]) -> frozenset[int]:
    return frozenset(
        number
        for number, other in enumerate(names)
        if other == named.name or frozenset((named.name, other)) in AGAIN
    )
