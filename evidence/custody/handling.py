"""What people say they did with an exhibit: handed over, received, opened, examined, judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.orm import Session

from evidence.custody.cases import find_case, find_exhibit, subject_of, subjects
from evidence.custody.ledger import record
from registry.errors import TouchstoneError
from registry.models import LedgerEntry
from registry.models.base import utcnow

VERDICTS = ("counterfeit", "genuine", "undetermined")
MAX_DETAIL = 4000
#: Clocks differ; nothing is reported before it happens.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event must say, and what it usually says besides; anything else may be added."""

    needs: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()


#: Source of the fields: marketplaces' forms for test purchases, ISO/IEC 27037 (who had it,
#: when, where, why; check-in and check-out).
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "viewed": Kind((), ("purpose",)),
        # A transfer counts once both have confirmed it; how each did is said.
        "handed_over": Kind(
            ("from", "to", "confirmed_by_from", "confirmed_by_to"), ("method", "place", "purpose")
        ),
        "parcel_received": Kind(
            ("carrier", "tracking", "place"),
            ("sender", "weight", "dimensions", "customs_declaration", "condition", "photographs"),
        ),
        "opened": Kind(
            ("place", "seal_intact"), ("witness", "started", "ended", "video", "contents", "seal")
        ),
        "examined": Kind(
            ("method", "findings"), ("qualification", "reference_sample", "report", "place")
        ),
        "verdict": Kind(("verdict", "grounds"), ("report",)),
        # A correction is a new entry that names the old one, which stays.
        "corrected": Kind(("corrects", "reason"), ()),
    }
)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def report(
    session: Session,
    *,
    reference: str,
    event: str,
    actor: str,
    exhibit: int | None = None,
    occurred_at: datetime | None = None,
    details: Mapping[str, str] | None = None,
) -> LedgerEntry:
    """Write into the ledger what somebody did with an exhibit, or with a whole case.

    Parameters
    ----------
    event
        One of `KINDS`.
    actor
        The person who did it and says so.
    exhibit
        The exhibit's number; None if it is about the case.
    details
        What `KINDS` wants, and more. It stays for ever, and goes to whoever gets the case:
        no private address, no account.

    Raises
    ------
    TouchstoneError
        If the case, the exhibit or a detail is missing, or the time is not over.
    """
    kind = KINDS.get(event)
    if kind is None:
        raise TouchstoneError(f"{event!r} is none of {', '.join(KINDS)}")
    case = find_case(session, reference)
    subject = f"case:{case.id}"
    if exhibit is not None:
        subject = subject_of(find_exhibit(session, case, exhibit))
    said = {name: " ".join(value.split()) for name, value in (details or {}).items()}
    for name, value in said.items():
        if not _NAME.fullmatch(name):
            raise TouchstoneError(f"{name!r} is no name for a detail: use a-z, 0-9 and _")
        if len(value) > MAX_DETAIL:
            raise TouchstoneError(f"{name}: at most {MAX_DETAIL} characters; add a file instead")
    missing = [name for name in kind.needs if not said.get(name)]
    if missing:
        raise TouchstoneError(f"{event} needs: {', '.join(missing)}")
    if event == "verdict" and said["verdict"] not in VERDICTS:
        raise TouchstoneError(f"a verdict is one of: {', '.join(VERDICTS)}")
    if occurred_at is not None and occurred_at.tzinfo is None:
        raise TouchstoneError("a time needs its zone: 2026-11-25T14:00:00+01:00")
    if occurred_at is not None and occurred_at > utcnow() + AHEAD:
        raise TouchstoneError(f"{occurred_at.isoformat()} is still to come")
    content: dict[str, object] = {**said, "case": reference}
    if event == "corrected":
        # A number, so that a reader finds the entry that no longer counts.
        content["corrects"] = _corrected(session, said["corrects"], subjects(case))
    return record(
        session, event=event, subject=subject, actor=actor, details=content, occurred_at=occurred_at
    )


def _corrected(session: Session, number: str, allowed: list[str]) -> int:
    seq = int(number) if re.fullmatch(r"[0-9]{1,18}", number) else -1
    entry = session.get(LedgerEntry, seq)
    if entry is None or entry.subject not in allowed:
        raise TouchstoneError(f"corrects: {number!r} is no entry about this case; see ledger list")
    return seq
