"""The states of a purchase and the ways between them; there is no other way.

Each way says whose office it is, what must be given, which files must be there, what happens
to the money, and what the custody ledger is told. docs/purchases.md is drawn from this.
"""

from __future__ import annotations

from dataclasses import dataclass

#: What a file of a purchase can show.
FILES = (
    "order", "payment", "mail", "message", "parcel", "opening", "item", "examination", "disposal",
    "other",
)  # fmt: skip

_NEVER_CAME = ("not_delivered", "refunded")


@dataclass(frozen=True, slots=True)
class Way:
    """One way from a state to another.

    Parameters
    ----------
    offices
        Whose office it is. The buyer is the one who was assigned, the examiner one to whom it
        was sent, the approver nobody who has another office in this purchase.
    machine
        Whether the checkout in the browser may go it too.
    needs
        Fields of `Given` that must be there.
    says
        Names of details that must be there.
    files
        Kinds of files of which there must be one, where a person goes this way.
    outcomes
        Which outcomes it may lead to.
    money
        What happens in the money ledger: ``reserve``, ``release``, ``settle``, ``refund``.
    event
        What the custody ledger calls it; None: it is not entered there.
    """

    before: str
    after: str
    offices: tuple[str, ...] = ()
    machine: bool = False
    needs: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    money: str | None = None
    event: str | None = "moved"


_APPROVER, _BUYER = ("approver",), ("buyer",)

WAYS: tuple[Way, ...] = (
    Way("proposed", "approved", _APPROVER, needs=("limit",), money="reserve"),
    Way("proposed", "rejected", _APPROVER, event=None),
    Way("approved", "assigned", _APPROVER, needs=("buyer", "persona", "how")),
    Way("approved", "rejected", _APPROVER, money="release"),
    Way("assigned", "ordering", _BUYER, machine=True),
    Way("assigned", "stopped", _BUYER, machine=True, needs=("note",), money="release"),
    Way("assigned", "rejected", _APPROVER, money="release"),
    Way("ordering", "rehearsed", machine=True, money="release"),
    Way("ordering", "stopped", _BUYER, machine=True, needs=("note",), money="release"),
    Way(
        "ordering", "ordered", _BUYER, machine=True, needs=("order_number", "total"),
        files=("order",),
    ),
    Way("ordering", "outcome_unclear", _BUYER, machine=True, needs=("note",)),
    Way("outcome_unclear", "ordered", ("buyer", "approver"), needs=("order_number", "note")),
    Way("outcome_unclear", "failed", ("buyer", "approver"), needs=("note",), money="release"),
    Way("rehearsed", "approved", _APPROVER, needs=("limit",), money="reserve"),
    Way("rehearsed", "rejected", _APPROVER),
    Way("stopped", "approved", _APPROVER, needs=("limit",), money="reserve"),
    Way("stopped", "rejected", _APPROVER),
    Way("ordered", "paid", ("buyer", "finance"), needs=("paid",), money="settle"),
    Way("paid", "shipped", _BUYER, says=("carrier", "tracking")),
    Way(
        "shipped", "received_sealed", _BUYER,
        says=("carrier", "tracking", "place", "sender_address", "postmark", "weight", "seal"),
        files=("parcel",), event="parcel_received",
    ),
    Way(
        "received_sealed", "opened", _BUYER, says=("place", "seal_intact", "contents"),
        files=("opening",), event="opened",
    ),
    Way(
        "opened", "sent_to_examiner", _BUYER, needs=("examiner",),
        says=("method", "place", "seal"), files=("item",),
    ),
    Way(
        "sent_to_examiner", "examined", ("examiner",), says=("method", "findings"),
        event="examined",
    ),
    Way(
        "examined", "verdict", ("examiner",), needs=("outcome",), says=("grounds",),
        outcomes=("genuine", "counterfeit", "other_infringement", "inconclusive"), event="verdict",
    ),
    Way(
        "ordered", "verdict", ("finance",), needs=("outcome",), says=("grounds",),
        outcomes=_NEVER_CAME, money="refund", event="verdict",
    ),
    Way(
        "paid", "verdict", ("finance",), needs=("outcome",), says=("grounds",),
        outcomes=_NEVER_CAME, money="refund", event="verdict",
    ),
    Way(
        "shipped", "verdict", ("finance",), needs=("outcome",), says=("grounds",),
        outcomes=_NEVER_CAME, money="refund", event="verdict",
    ),
    Way("verdict", "closed", ("administrator",), says=("disposal", "place")),
)  # fmt: skip

STATES: tuple[str, ...] = tuple(dict.fromkeys(s for way in WAYS for s in (way.before, way.after)))


def following(state: str) -> tuple[Way, ...]:
    """The ways that lead on from a state."""
    return tuple(way for way in WAYS if way.before == state)


def mermaid() -> str:
    """The ways as a picture: who goes them, and what becomes of the money."""
    lines = ["stateDiagram-v2", "    [*] --> proposed: machine or requester"]
    for way in WAYS:
        who = " or ".join((*way.offices, *(("machine",) if way.machine else ())))
        money = f", money: {way.money}" if way.money else ""
        lines.append(f"    {way.before} --> {way.after}: {who}{money}")
    ends = [state for state in STATES if not following(state)]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in ends)])


def as_table() -> str:
    """What each way wants, as a table of Markdown."""
    lines = ["| From | To | Given | Files | Ledger |", "|---|---|---|---|---|"]
    for way in WAYS:
        given = ", ".join((*way.needs, *way.says)).replace("_", " ")
        if way.outcomes:
            given += f" ({', '.join(way.outcomes).replace('_', ' ')})"
        files = ", ".join(way.files)
        event = f"`{way.event}`" if way.event else ""
        cells = (way.before, way.after, given, files, event)
        lines.append(
            "| "
            + " | ".join(cell.replace("_", " ") if cell in STATES else cell for cell in cells)
            + " |"
        )
    return "\n".join(lines)
