"""The frontier: each page once in a run, nothing lost at a kill, and one crawl at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import delete, func, select

from crawler.crawling.frontier import MAX_URL, Frontier, Page, Settled, Superseded
from registry.database import Database
from registry.models import Brand, Marketplace, Plan, Run, Shard, Visit

both = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


def lay_out(database: Database, shards: int = 2) -> tuple[UUID, UUID, list[UUID]]:
    """A run with some shards of one marketplace: ids of run, marketplace, shards."""
    with database.writing() as session:
        market = Marketplace(name="m", kind="bazaar", url="https://m.example/")
        plan = Plan(
            name="p", brand=Brand(slug="v", name="V", owner="O"), marketplaces=[market],
            queries=[], browse=[], threshold=0.6, max_pages=9,
        )  # fmt: skip
        run = Run(plan=plan)
        session.add_all([plan, run])
        session.flush()
        rows = [Shard(run_id=run.id, marketplace_id=market.id) for _ in range(shards)]
        session.add_all(rows)
        session.flush()
        return run.id, market.id, [row.id for row in rows]


def listing(number: int, rank: int = 1) -> Page:
    url = f"https://m.example/item/{number}/x"
    return Page("listing", url, rank, str(number), {"external_id": str(number)})


def write(database: Database, frontier: Frontier, number: int) -> None:
    """Write as a crawl does, with the fence."""
    with database.writing() as session:
        frontier.add(session, [listing(number)])
        frontier.held(session, asked=number)


@both
def test_a_page_is_known_once_in_a_run(database: Database) -> None:
    run_id, market_id, (one, two) = lay_out(database)
    first = Frontier(run_id, one, market_id, "a")
    second = Frontier(run_id, two, market_id, "b")
    with database.writing() as session:
        assert first.add(session, [listing(1), listing(2), listing(1)]) == 2
        # Another address of the same listing, found by another shard.
        again = Page("listing", "https://m.example/item/2/other", 1, "2")
        assert second.add(session, [again, listing(3)]) == 1
        page = Page("list", "https://m.example/c?b=1&a=2", 1)
        assert first.add(session, [page]) == 1
        assert second.add(session, [Page("list", "https://m.example/c?a=2&b=1", 1)]) == 0
        assert first.add(session, [Page("list", "https://m.example/" + "x" * MAX_URL, 1)]) == 0
        assert (first.waiting(session), second.waiting(session)) == (3, 1)


@both
def test_pages_come_by_rank_and_without_those_in_hand(database: Database) -> None:
    run_id, market_id, (shard_id, _) = lay_out(database)
    frontier = Frontier(run_id, shard_id, market_id, "a")
    with database.writing() as session:
        frontier.add(session, [listing(number, rank=number % 3) for number in range(9)])
    with database.reading() as session:
        pages = frontier.pull(session, 4, [])
        assert [page.rank for page in pages] == [0, 0, 0, 1]
        more = frontier.pull(session, 4, {page.id for page in pages if page.id})
        assert [page.rank for page in more] == [1, 1, 2, 2]
        assert not {page.url for page in pages} & {page.url for page in more}
    with database.writing() as session:
        frontier.settle(session, [Settled(pages[0], "gone", "HTTP 404")])
        row = session.get_one(Visit, pages[0].id)
        assert (row.state, row.arguments["why"]) == ("gone", "HTTP 404")
        assert row.arguments["external_id"]


@both
def test_who_has_lost_a_shard_writes_nothing(database: Database) -> None:
    run_id, market_id, (shard_id, _) = lay_out(database)
    old = Frontier(run_id, shard_id, market_id, "old")
    new = Frontier(run_id, shard_id, market_id, "new")
    with database.writing() as session:
        old.take(session)
    with database.writing() as session:
        old.held(session, asked=1)
        old.add(session, [listing(1)])
    with database.writing() as session:
        new.take(session)
    with pytest.raises(Superseded):
        write(database, old, 2)
    with database.reading() as session:
        assert new.waiting(session) == 1
        assert session.get_one(Shard, shard_id).asked == 1


@both
def test_the_budget_is_counted_over_all_shards(database: Database) -> None:
    run_id, market_id, (one, two, three) = lay_out(database, 3)
    frontiers = [Frontier(run_id, shard_id, market_id, "x") for shard_id in (one, two, three)]
    with database.writing() as session:
        for number, frontier in enumerate(frontiers, start=1):
            frontier.take(session)
            frontier.held(session, asked=number, browser_seconds=number / 2)
    with database.reading() as session:
        assert frontiers[0].used_by_others(session) == (5, 2.5)


@contextmanager
def fresh(folder: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{folder / 'state.db'}")
    database.migrate()
    yield database
    database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples, as making one takes longer than a hundred of them."""
    with fresh(tmp_path_factory.mktemp("frontier")) as database:
        yield database


def test_any_order_of_finding_visiting_and_killing_visits_each_page_once(shared: Database) -> None:
    run_id, market_id, shard_ids = lay_out(shared)

    class Crawls(RuleBasedStateMachine):
        """Two shards whose crawls find pages, visit them, are killed and taken up again."""

        def __init__(self) -> None:
            super().__init__()
            with shared.writing() as session:
                session.execute(delete(Visit))
            self.turn = 0
            self.found: set[int] = set()
            self.visited: list[str] = []
            self.in_hand: list[list[Page]] = [[], []]
            self.crawls = [self.crawl(0), self.crawl(1)]

        def crawl(self, at: int) -> Frontier:
            self.turn += 1
            frontier = Frontier(run_id, shard_ids[at], market_id, f"crawl {self.turn}")
            with shared.writing() as session:
                frontier.take(session)
            return frontier

        @rule(at=st.integers(0, 1), numbers=st.lists(st.integers(0, 30), max_size=8))
        def find(self, at: int, numbers: list[int]) -> None:
            with shared.writing() as session:
                new = self.crawls[at].add(session, [listing(number) for number in numbers])
                self.crawls[at].held(session, asked=0)
            assert new == len(set(numbers) - self.found)
            self.found |= set(numbers)

        @rule(at=st.integers(0, 1), number=st.integers(1, 5))
        def take(self, at: int, number: int) -> None:
            hand = self.in_hand[at]
            with shared.reading() as session:
                hand += self.crawls[at].pull(session, number, {p.id for p in hand if p.id})

        @precondition(lambda self: any(self.in_hand))
        @rule(at=st.integers(0, 1), lost=st.booleans())
        def visit(self, at: int, lost: bool) -> None:
            if not self.in_hand[at]:
                return
            page = self.in_hand[at].pop(0)
            if lost:  # the transaction did not come to its end
                self.in_hand[at].clear()
                self.crawls[at] = self.crawl(at)
                return
            with shared.writing() as session:
                self.crawls[at].settle(session, [Settled(page, "done")])
                self.crawls[at].held(session, asked=0)
            self.visited.append(page.url)

        @rule(at=st.integers(0, 1))
        def kill(self, at: int) -> None:
            old, self.crawls[at] = self.crawls[at], self.crawl(at)
            self.in_hand[at].clear()
            with pytest.raises(Superseded):
                write(shared, old, 99)

        @invariant()
        def nothing_is_lost_or_twice(self) -> None:
            assert len(set(self.visited)) == len(self.visited)
            with shared.reading() as session:
                waiting = sum(crawl.waiting(session) for crawl in self.crawls)
                known = session.scalar(select(func.count()).select_from(Visit))
            assert known == len(self.found)
            assert waiting == len(self.found) - len(self.visited)

    machine = Crawls.TestCase
    machine.settings = hypothesis_settings(max_examples=25, stateful_step_count=30, deadline=None)
    machine().runTest()
