"""What befalls which purchase: each fault at each place, then more of them by chance."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

#: The requests of a checkout, in order, by what the shop calls them. A step is a page that
#: is asked for and a form that is sent.
STEPS = ("address", "shipping", "payment")
PLACES = (
    "listing",
    "basket",
    *STEPS,
    "review",
    "intended",  # the intent is committed, the order not sent yet
    "ordering",  # the order is sent, and not in the shop's table yet
    "ordered",  # it stands in the table, its answer has not gone out
    "confirmation",
    "after",  # the confirmation was shown, the outcome is not written yet
)

STRIKES = ("kill_worker", "kill_browser", "second_job", "lost_lease")
ANSWERS = ("cut", "cut_midway", "slow", "hang", "error")
FAULTS = (*STRIKES, *ANSWERS)

#: Where no request waits for an answer.
BETWEEN = ("intended", "after")


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a place.

    Parameters
    ----------
    sent
        At a step: whether it befalls the form that is sent, not the page that is asked for;
        at the basket: what is put into it.
    status
        With which an error is answered.
    delay
        Seconds from the place to the fault, where nothing waits for it.
    """

    place: str
    fault: str
    sent: bool = False
    status: int = 500
    delay: float = 0.0


CELLS = tuple(
    (place, fault)
    for place, fault in product(PLACES, FAULTS)
    if fault in STRIKES or place not in BETWEEN
)


#: Each so-manieth purchase is left alone.
ALONE = 15
#: So many purchases of each of two halves have every cell once between them.
LEAST = -(-len(CELLS) // 2) * ALONE // (ALONE - 1) + 1


def draw(number: int, seed: int, half: int = 0) -> list[Cell | None]:
    """What befalls so many purchases; None: nothing.

    Every cell comes before any comes again.

    Parameters
    ----------
    half
        0 or 1, which half of the cells comes first; the same seed with the other number gives
        the other half.
    """
    dice = random.Random(f"{seed} cells")
    first = list(CELLS)
    dice.shuffle(first)
    middle = len(first) // 2
    drawn = first[middle:] + first[:middle] if half else first
    dice = random.Random(f"{seed} {half}")
    found: list[Cell | None] = []
    while len(found) < number:
        if len(found) % ALONE == ALONE - 1:
            found.append(None)
            continue
        if not drawn:
            drawn = list(CELLS)
            dice.shuffle(drawn)
        place, fault = drawn.pop(0)
        # Before the order a connection is let settle: the fault comes before it and after.
        longest = {"intended": 0.5, "after": 1.0}.get(place, 0.0)
        sent, status = dice.random() < 0.5, dice.choice((500, 503))
        found.append(Cell(place, fault, sent, status, dice.uniform(0, longest)))
    return found
