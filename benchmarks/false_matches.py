"""False matches: very many edited photographs, each held against references that it shows none of.

The photographs are dealt into five hands, things that were photographed twice into one. Each of
the reported photographs (`benchmarks.picture_sets`) is edited in as many ways as it takes, and
each result is looked up among all photographs of the other hands, so that neither its original
nor another photograph of the same thing is there. Drawn logos (`benchmarks.picture_logos`) are
registered beside them, and shown by none. One look-up is one comparison of a listing's
picture with the whole reference set. What matched is named, for somebody to look at.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import cycle
from random import Random

from benchmarks.measure import Result, interval
from benchmarks.picture_logos import REGISTERED, REPORTED, Logo
from benchmarks.picture_sets import AGAIN, FIT, SEED, SET, Named, jpeg, photographs, picture_of
from benchmarks.seller_edits import EDITS
from matchers.pictures import Reference, ReferenceIndex, decode, traits

HANDS = 5


def false_matches(count: int, seed: int = SEED) -> Iterator[Result]:
    """Look so many pictures up that show no reference, and count what matches.

    Parameters
    ----------
    seed
        Of the edits; with another one they are others.
    """
    files = [Named(path.stem[:8], path.read_bytes()) for path in photographs()]
    if not files:
        yield Result("false matches", "not measured: there are no photographs", "", "")
        return
    known = [traits(decode(named.data)) for named in files]
    logos = [
        Reference(f"logo {n}", "logo", traits(decode(jpeg(Logo.of(REPORTED + n).draw()))))
        for n in range(REGISTERED)
    ]
    hands = _dealt([named.name for named in files])
    reported = set(range(FIT + SET, len(files)))
    began, spent, asked, false = time.monotonic(), time.process_time(), 0, []
    for hand in range(HANDS):
        index = ReferenceIndex.build(
            [
                *(
                    Reference(named.name, "reference", kept)
                    for named, kept, where in zip(files, known, hands, strict=True)
                    if where != hand
                ),
                *logos,
            ]
        )
        mine = [at for at in sorted(reported) if hands[at] == hand]
        dice = Random(f"{seed}{hand}")
        mixers = [picture_of(files[at].data) for at in dice.sample(mine, 20)]
        quota = count * (hand + 1) // HANDS - count * hand // HANDS
        # Each photograph with one edit after the other, begun at another one.
        ways = {}
        for n, at in enumerate(mine):
            first = (n + seed) % len(EDITS)
            ways[at] = cycle(EDITS[first:] + EDITS[:first])
        for turn in range(quota):
            at = mine[turn % len(mine)]
            edit = next(ways[at])
            data = edit(picture_of(files[at].data), dice, dice.sample(mixers, edit.needs))
            asked += 1
            found = index.search(decode(data))
            if found:
                false.append(f"{files[at].name} {edit.name}: {found[0].key} "
                             f"({found[0].confidence:.2f})")  # fmt: skip
                print(f"false match: {false[-1]}", file=sys.stderr, flush=True)
            if asked % 500 == 0:
                print(f"{asked} of {count}, {len(false)} false, {time.monotonic() - began:.0f} s",
                      file=sys.stderr, flush=True)  # fmt: skip
    yield Result(
        f"false matches among {asked} edited photographs that show no reference, each held "
        f"against {len(files) - len(files) // HANDS} references or so and {len(logos)} logos",
        f"{len(false)} (rate below {interval(len(false), asked)[1]:.6f}, 95 %)"
        + (": " + "; ".join(false) if false else ""),
        "",
        f"{len(reported)} photographs, {len(EDITS)} edits, seed {seed}; "
        f"{time.process_time() - spent:.0f} s of processor time, edits and all",
    )


def _dealt(names: list[str]) -> list[int]:
    """The hand of each photograph; those of one thing are in one."""
    hands = [at % HANDS for at in range(len(names))]
    place = {name: at for at, name in enumerate(names)}
    for pair in AGAIN:
        first, *others = sorted(place[name] for name in pair if name in place)
        for other in others:
            hands[other] = hands[first]
    return hands
