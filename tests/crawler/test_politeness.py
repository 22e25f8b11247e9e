"""How fast hosts are asked, by several processes at once, also by such that are killed."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from crawler.network import politeness, turnstile
from crawler.network.politeness import Pace, ask, new_holder, pause
from crawler.network.turns import NoTurn, Turns
from crawler.network.turnstile import HostPaused, Turnstile
from registry.database import Database
from registry.models import Host, HostLease
from registry.models.base import utcnow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

HOST = "shop.example"


def agree(
    database: Database, holder: str, pace: Pace, *, wanted: int = 5, busy: int = 0
) -> politeness.Grant:
    with database.writing() as session:
        return ask(session, HOST, holder, pace, wanted=wanted, busy=busy)


def test_times_are_given_once(database: Database) -> None:
    pace = Pace(per_second=4)
    given = [
        at
        for holder in ("a:1:x", "b:1:x", "a:1:x")
        for at in agree(database, holder, pace).times or ()
    ]
    assert len(given) >= 10
    apart = [(after - before) / timedelta(seconds=1) for before, after in itertools.pairwise(given)]
    assert min(apart) >= 0.24, "two requests within a quarter of a second"


def test_a_crawl_delay_is_slower_than_the_pace(database: Database) -> None:
    with database.writing() as session:
        politeness.note_crawl_delay(session, HOST, 7.0)
    first, second = (
        agree(database, holder, Pace(per_second=10)).times or () for holder in ("a:1:x", "b:1:x")
    )
    assert len(first) == len(second) == 1
    assert (second[0] - first[0]) / timedelta(seconds=1) == pytest.approx(7.0)


def test_places_are_shared_and_those_of_the_lost_are_free(database: Database) -> None:
    pace = Pace(at_once=6)
    assert agree(database, "far:1:a", pace).places == 6
    assert agree(database, "far:1:b", pace).places == 0, "all were taken"
    assert agree(database, "far:1:a", pace, busy=5).places == 5, "what is under way stays"
    assert agree(database, "far:1:b", pace).places == 1
    assert agree(database, "far:1:a", pace).places == 3
    assert agree(database, "far:1:b", pace).places == 3
    with database.writing() as session:
        session.execute(
            update(HostLease)
            .where(HostLease.holder == "far:1:a")
            .values(until=utcnow() - timedelta(seconds=1))
        )
    assert agree(database, "far:1:b", pace).places == 6


def test_a_process_of_this_machine_that_is_dead_holds_nothing(database: Database) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    holder = new_holder().replace(f":{os.getpid()}:", f":{dead.pid}:")
    assert agree(database, holder, Pace(at_once=2)).places == 2
    assert agree(database, new_holder(), Pace(at_once=2)).places == 2


def test_with_more_processes_than_places_each_has_its_turn(database: Database) -> None:
    pace, holders = Pace(at_once=1), ["far:1:a", "far:1:b", "far:1:c"]
    order = []
    for _ in range(6):
        for holder in holders:
            if agree(database, holder, pace).places:
                order.append(holder)
        with database.writing() as session:
            for lease in session.scalars(select(HostLease)):
                lease.since -= timedelta(seconds=politeness.TENURE_SECONDS + 1)
    assert set(order) == set(holders)


def test_the_longest_pause_counts_and_all_are_told(database: Database) -> None:
    with database.writing() as session:
        long = pause(session, HOST, 50, "HTTP 429")
        assert pause(session, HOST, 5, "HTTP 503") == long
    grant = agree(database, "far:1:a", Pace(per_second=10))
    assert grant.paused_until == long
    assert (grant.times or ())[0] >= long
    with database.reading() as session:
        told = politeness.look(session, HOST)
    assert told is not None
    assert told.paused_until == long


def test_several_turnstiles_together_keep_the_ceiling(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "REFRESH_SECONDS", 0.2)
    pace = Pace(per_second=20, at_once=3)
    went: list[float] = []
    under_way = most = 0

    async def request(stile: Turnstile) -> None:
        nonlocal under_way, most
        async with stile.turn(HOST):
            went.append(time.time())
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.05)
            under_way -= 1

    async def go() -> None:
        stiles = [Turnstile(database, lambda _: pace) for _ in range(3)]
        await asyncio.gather(*(request(stile) for stile in stiles for _ in range(10)))
        for stile in stiles:
            await stile.close()

    asyncio.run(go())
    assert len(went) == 30
    assert most <= 3
    # 30 requests at 20 a second: the last cannot be before 29/20 of a second are over.
    assert went[-1] - went[0] >= 29 / 20 - 0.1
    with database.reading() as session:
        assert session.scalars(select(HostLease)).all() == []


def test_a_turnstile_tells_that_it_holds_a_request_back(database: Database) -> None:
    async def go() -> None:
        stile = Turnstile(database, lambda _: Pace(per_second=0.01))
        async with stile.turn(HOST):
            assert (stile.turns, stile.held) == (1, False)
        waiting = asyncio.create_task(stile.turn(HOST).__aenter__())
        while not stile.held:
            await asyncio.sleep(0.05)
        assert stile.turns == 1
        waiting.cancel()
        await stile.close()

    asyncio.run(asyncio.wait_for(go(), 60))


def test_a_pause_of_another_worker_is_kept_and_a_long_one_is_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "REFRESH_SECONDS", 0.1)

    async def go() -> None:
        mine, other = (Turnstile(database, lambda _: Pace()) for _ in range(2))
        async with mine.turn(HOST):
            pass
        until = time.time() + 1.0
        await other.pause(HOST, 1.0, "HTTP 429")
        await asyncio.sleep(0.15)
        async with mine.turn(HOST):
            assert time.time() >= until
        await other.pause(HOST, 4_000, "HTTP 503")
        await asyncio.sleep(0.15)
        with pytest.raises(HostPaused, match="left alone until"):
            async with mine.turn(HOST):
                pass

    asyncio.run(go())


KILLED = """
import asyncio, sys
from crawler.network.politeness import Pace
from crawler.network.turnstile import Turnstile
from registry.database import Database
async def go():
    stile = Turnstile(Database(sys.argv[1]), lambda _: Pace(per_second=50, at_once=1))
    async with stile.turn("shop.example"):
        print("in", flush=True)
        await asyncio.sleep(600)
asyncio.run(go())
"""


def test_a_killed_process_frees_its_place(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "REFRESH_SECONDS", 0.2)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"

    async def go() -> None:
        stile = Turnstile(database, lambda _: Pace(per_second=50, at_once=1))
        waiting = asyncio.create_task(_enter(stile))
        await asyncio.sleep(0.6)
        assert not waiting.done()
        process.send_signal(signal.SIGKILL)
        process.wait()
        await asyncio.wait_for(waiting, 10)
        await stile.close()

    asyncio.run(go())
    with database.reading() as session:
        assert session.get(Host, HOST) is not None


async def _enter(stile: Turnstile) -> None:
    async with stile.turn(HOST):
        pass


def test_who_asks_page_by_page_keeps_to_the_same_ceiling(database: Database) -> None:
    pace = Pace(per_second=20, at_once=1)
    turns = Turns(database, lambda _: pace)
    began = utcnow()
    for turn in range(1, 5):
        with turns.turn(HOST):
            now = utcnow()
            with database.reading() as session:
                next_at = session.get_one(Host, HOST).next_at
            assert next_at >= began + turn * timedelta(seconds=1 / 20)
            assert now >= next_at - timedelta(seconds=1 / 20), "not before its time"
            assert agree(database, "far:1:a", pace).places == 0, "the place is held"
            with database.writing() as session:
                politeness.leave(session, "far:1:a")
    with database.reading() as session:
        assert session.scalars(select(HostLease)).all() == []


def test_a_turn_that_does_not_come_in_time_is_not_waited_for(database: Database) -> None:
    pace = Pace(at_once=1)
    turns = Turns(database, lambda _: pace)
    assert agree(database, "far:1:a", pace).places == 1
    with pytest.raises(NoTurn, match="may not be asked"), turns.turn(HOST, time.monotonic() + 0.2):
        raise AssertionError("it was asked")
    with database.writing() as session:
        politeness.leave(session, "far:1:a")
        pause(session, HOST, 500, "HTTP 503")
    with pytest.raises(NoTurn, match="HTTP 503"), turns.turn(HOST):
        raise AssertionError("it was asked")
