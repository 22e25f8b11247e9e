"""Logins, proxies and manners by the command line: nothing secret comes out of it again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from crawler.browsing import seats
from registry.database import Database
from registry.models import Marketplace, Takeover
from tests.cli.conftest import Touchstone
from tests.console.login_shop import login_shop


@pytest.fixture
def database(touchstone: Touchstone, data_dir: Path) -> Database:
    assert touchstone("init").code == 0
    return Database(f"sqlite:///{data_dir / 'touchstone.db'}")


def marketplace(database: Database, url: str = "https://shop.example/") -> None:
    with database.writing() as session:
        session.add(Marketplace(name="shop", kind="bazaar", url=url))


def test_logins_are_kept_listed_and_forgotten(
    touchstone: Touchstone, database: Database, data_dir: Path, tmp_path: Path
) -> None:
    marketplace(database)
    cookie = {"name": "sid", "value": "planted-secret", "domain": "shop.example", "path": "/"}
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"cookies": [cookie], "origins": []}))
    assert touchstone("session", "add", "shop", "mina", file).code == 0
    said = touchstone("session", "list", "--json")
    (row,) = said.json["sessions"]
    assert (row["marketplace"], row["persona"], row["state"]) == ("shop", "mina", "ok")
    assert "planted" not in said.out
    for stored in data_dir.rglob("*"):
        if stored.is_file():
            assert b"planted-secret" not in stored.read_bytes()
    file.write_text('{"cookies": [{"name": "x"}]}')
    assert "storage state" in touchstone("session", "add", "shop", "mina", file).one_clear_line()
    assert "see marketplace list" in touchstone("session", "add", "no", "m", file).one_clear_line()
    assert touchstone("session", "forget", "shop", "mina").code == 0
    assert "session list" in touchstone("session", "forget", "shop", "mina").one_clear_line()


def test_proxies_are_kept_without_showing_the_password(
    touchstone: Touchstone, database: Database
) -> None:
    secret = {"TOUCHSTONE_PROXY_ADDRESS": "socks5://u:planted-secret@proxy.example:1080"}
    said = touchstone("proxy", "add", "home", **secret)
    assert said.code == 0, said.err
    shown = touchstone("proxy", "list")
    assert "socks5://proxy.example:1080" in shown.out
    assert "planted" not in said.out + said.err + shown.out
    bad = touchstone("proxy", "add", "home", TOUCHSTONE_PROXY_ADDRESS="ftp://u:planted-secret@x")
    assert "planted" not in bad.one_clear_line()
    assert touchstone("proxy", "forget", "home").code == 0
    assert "proxy list" in touchstone("proxy", "forget", "home").one_clear_line()


def test_who_lets_us_pass_over_robots_is_named(touchstone: Touchstone, database: Database) -> None:
    marketplace(database)
    assert "--by" in touchstone("marketplace", "robots", "shop", "ignored").one_clear_line()
    why = ("--by", "Shop team, M. Kuroda", "--why", "contract of 2026-03-01")
    assert touchstone("marketplace", "robots", "shop", "ignored", *why).code == 0
    assert touchstone("marketplace", "pace", "shop", "--per-second", "2").code == 0
    (row,) = touchstone("marketplace", "list", "--json").json["marketplaces"]
    assert row["robots"] == "ignored, says Shop team, M. Kuroda: contract of 2026-03-01"
    assert (row["requests_per_second"], row["requests_at_once"]) == (2.0, None)
    assert touchstone("marketplace", "robots", "shop", "obeyed").code == 0
    assert touchstone("marketplace", "list", "--json").json["marketplaces"][0]["robots"] == "obeyed"


def test_a_person_logs_in_from_a_headless_server(
    touchstone: Touchstone, database: Database, data_dir: Path
) -> None:
    with login_shop() as (url, _):
        marketplace(database, url)
        process = subprocess.Popen(
            [sys.executable, "-m", "console.cli", "session", "login", "shop", "mina"],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(data_dir),
                "TOUCHSTONE_DATA_DIR": str(data_dir),
                "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert re.search(r"/takeovers/[0-9a-f-]{36}", line), line
            with database.writing() as session:
                row = session.scalars(select(Takeover)).one()
                seat = seats.take(session, row.id, "Ada")
                seats.give_back(session, row.id, seat, done=True)
            assert process.wait(60) == 0
        finally:
            process.kill()
        (kept,) = touchstone("session", "list", "--json").json["sessions"]
        assert kept["state"] == "ok"
