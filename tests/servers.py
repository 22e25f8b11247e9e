"""Shops as real processes, for tests that need one."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bazaar:
    """A running bazaar, with what only its maker may know."""

    url: str
    folder: Path

    def truth(self) -> dict[str, dict[str, Any]]:
        """What each listing really is, by its id."""
        listings: dict[str, dict[str, Any]] = json.loads(
            (self.folder / "truth.json").read_text(encoding="utf-8")
        )["listings"]
        return listings

    def orders(self) -> list[tuple[str, str]]:
        """Order number and listing id of every order that the shop got."""
        file = self.folder / "orders.sqlite"
        if not file.exists():
            return []
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT order_number, listing_id FROM orders").fetchall()
        finally:
            connection.close()

    def plan(self, name: str = "plan.yaml") -> Path:
        """A plan file of the world, turned to the address at which it is served."""
        text = (self.folder / name).read_text(encoding="utf-8")
        path = self.folder / f"served-{name}"
        path.write_text(text.replace("http://127.0.0.1:8765/", self.url), encoding="utf-8")
        return path


@contextmanager
def bazaar(
    folder: Path, *, seed: int, listings: int, faults: str = "", mail: Path | None = None
) -> Iterator[Bazaar]:
    """Make a world and serve it; its e-mails go into the Maildir `mail`."""
    make = [sys.executable, "-m", "bazaar", "make", str(folder)]
    subprocess.run([*make, "--seed", str(seed), "--listings", str(listings)], check=True)
    serve = [sys.executable, "-m", "bazaar", "serve", str(folder), "--port", "0"]
    if faults:
        serve += ["--faults", faults]
    if mail is not None:
        serve += ["--mail", str(mail)]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if line.startswith("bazaar: "))
        yield Bazaar(line.removeprefix("bazaar: ").strip(), folder)
    finally:
        server.terminate()
        server.wait(timeout=10)
