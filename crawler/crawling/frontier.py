"""The frontier: the pages that a shard still has to visit, kept in the database.

A page is waiting until what came of it is written, in the same transaction. So a crawl may be
killed at any moment: what is done is not asked again, what was under way is. The fence is the
shard's `holder`; whoever has lost it writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from scrapy import Request
from scrapy.utils.request import fingerprint
from sqlalchemy import bindparam, func, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from registry.models import Shard, Visit
from registry.models.base import Base

#: Longer ones lead nowhere, and would be kept for nothing.
MAX_URL = 4_000


# Made once: they are done for each page or two, and making one takes as long as running it.
_SETTLE = (
    update(Visit.__table__)  # type: ignore[arg-type]
    .where(Visit.id == bindparam("page"))
    .values(state=bindparam("came"), arguments=bindparam("arguments"))
)
_HOLD = update(Shard.__table__).where(  # type: ignore[arg-type]
    Shard.id == bindparam("shard"), Shard.holder == bindparam("mine")
)


class Superseded(Exception):
    """Another crawl has the shard: nothing that this one did may be written."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to visit.

    Parameters
    ----------
    what
        What is the same of two addresses of one page: the page's own id of a listing or a
        seller; None takes the address.
    rank
        Lower goes first.
    arguments
        For whoever reads the page.
    """

    kind: str
    url: str
    rank: int
    what: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None

    def key(self, marketplace_id: UUID) -> str:
        """What it is known by in a run."""
        what = self.what if self.what is not None else fingerprint(Request(self.url)).hex()
        said = f"{marketplace_id.hex}:{self.kind}:{what}"
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a page, and why if it is gone."""

    page: Page
    state: str
    why: str | None = None


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows; those that are there already stay as they are. How many were new."""
    if not rows:
        return 0
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    dialect: Any = sqlite if on_sqlite else postgresql
    # The rows are told apart from the statement, which so is compiled once and for all.
    statement = (
        dialect.insert(table.__table__)
        .on_conflict_do_nothing()
        .returning(*inspect(table).primary_key)
    )
    return len(session.execute(statement, list(rows)).all())


class Frontier:
    """The frontier of one shard, as one crawl has it.

    Parameters
    ----------
    holder
        The crawl that took the shard last.
    """

    def __init__(self, run_id: UUID, shard_id: UUID, marketplace_id: UUID, holder: str) -> None:
        self._run_id = run_id
        self._shard_id = shard_id
        self._marketplace_id = marketplace_id
        self._holder = holder

    def take(self, session: Session) -> None:
        """Have the shard from now on; another crawl of it finds out when it wants to write."""
        session.execute(update(Shard).where(Shard.id == self._shard_id).values(holder=self._holder))

    def held(self, session: Session, **values: Any) -> None:
        """Write how far the shard is, if it is still ours.

        Raises
        ------
        Superseded
            If it is not; the transaction must be rolled back.
        """
        told = {"shard": self._shard_id, "mine": self._holder, **values}
        done = session.connection().execute(_HOLD, told)
        if done.rowcount != 1:
            raise Superseded(f"shard {self._shard_id} is in other hands")

    def add(self, session: Session, pages: Iterable[Page]) -> int:
        """Add pages that the run does not know yet; how many they were."""
        rows: dict[str, dict[str, Any]] = {}
        for page in pages:
            if len(page.url) > MAX_URL:
                continue
            key = page.key(self._marketplace_id)
            rows.setdefault(
                key,
                {
                    "id": uuid7(),
                    "run_id": self._run_id,
                    "shard_id": self._shard_id,
                    "key": key,
                    "kind": page.kind,
                    "url": page.url,
                    "rank": page.rank,
                    "state": "waiting",
                    "arguments": page.arguments,
                },
            )
        # Shards that find the same pages would wait for each other in a circle.
        return insert_new(session, Visit, sorted(rows.values(), key=lambda row: str(row["key"])))

    def pull(self, session: Session, number: int, but: Collection[UUID]) -> list[Page]:
        """The next pages, without those that are in hand."""
        rows = session.execute(
            select(Visit.id, Visit.kind, Visit.url, Visit.rank, Visit.arguments)
            .where(Visit.shard_id == self._shard_id, Visit.state == "waiting")
            .order_by(Visit.rank, Visit.id)
            .limit(number + len(but))
        )
        pages = [
            Page(row.kind, row.url, row.rank, arguments=row.arguments, id=row.id)
            for row in rows
            if row.id not in but
        ]
        return pages[:number]

    def settle(self, session: Session, settled: Sequence[Settled]) -> None:
        """Say what came of pages."""
        rows = [
            {
                "page": one.page.id,
                "came": one.state,
                "arguments": {**one.page.arguments, **({"why": one.why} if one.why else {})},
            }
            for one in settled
        ]
        if rows:
            session.connection().execute(_SETTLE, rows)

    def waiting(self, session: Session) -> int:
        """How many pages there are still to visit."""
        return (
            session.scalar(
                select(func.count()).where(
                    Visit.shard_id == self._shard_id, Visit.state == "waiting"
                )
            )
            or 0
        )

    def used_by_others(self, session: Session) -> tuple[int, float]:
        """What the other shards of the run have used of its budget: pages, browser seconds."""
        asked, seconds = session.execute(
            select(
                func.coalesce(func.sum(Shard.asked), 0),
                func.coalesce(func.sum(Shard.browser_seconds), 0.0),
            ).where(Shard.run_id == self._run_id, Shard.id != self._shard_id)
        ).one()
        return int(asked), float(seconds)
