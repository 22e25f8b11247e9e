"""A buyer at the console, who has a purchase's browser and does with it what a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import select

from purchases import ordering
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Job, Takeover
from registry.settings import Settings
from tests.console.conftest import Console

PATIENCE = 60.0


def until(there: Callable[[], bool], what: str) -> None:
    """Wait for something, not for ever."""
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextmanager
def buying(database: Database, settings: Settings, blobs: Blobs) -> Iterator[None]:
    """Work off the one job that waits, as a worker does, beside the block; done at its end."""
    failed: list[BaseException] = []
    with database.writing() as session:
        job_id = session.scalars(select(Job.id).where(Job.state == "queued")).one()
        claim = jobs.claim(session, job_id, "worker", 300)
    assert claim is not None

    def work() -> None:
        try:
            ordering.purchase_job(jobs.Hold(database, claim, 300), settings, blobs)
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    yield
    worker.join(PATIENCE * 2)
    assert not worker.is_alive()
    if failed:
        raise failed[0]


class Hands:
    """What a person does at `/takeovers/{id}`, over the console's own addresses."""

    def __init__(self, console: Console, database: Database) -> None:
        self.http = console.http
        self.database = database
        self.here = ""

    def _open(self) -> Takeover | None:
        with self.database.reading() as session:
            return session.scalar(select(Takeover).where(Takeover.state == "open"))

    def take(self, by: str = "Bea Buyer") -> str:
        """Wait for a browser that is offered and take it: what there is to do."""
        until(lambda: self._open() is not None, "no browser was offered")
        row = self._open()
        assert row is not None
        assert row.kind == "purchase"
        self.here = f"/takeovers/{row.id}"
        taken = self.http.post(f"{self.here}/take", data={"by": by})
        assert taken.status_code == 303, taken.text
        until(lambda: self.picture()[1] == 200, "there is no picture")
        return row.why

    def picture(self) -> tuple[str, int]:
        """Where the browser is, and how the console answers."""
        answer = self.http.get(f"{self.here}/picture")
        return answer.headers.get("X-Page", ""), answer.status_code

    def sees(self, path: str) -> None:
        """Wait until the browser is at an address with this in it."""
        until(lambda: path in self.picture()[0], f"{path} did not come: {self.picture()[0]}")

    def press(self, *keys: str) -> None:
        """Press keys; what is none is typed."""
        for key in keys:
            named = key in ("Enter", "Tab", "Shift+Tab", "Space")
            event = {"type": "key", "key": key} if named else {"type": "text", "text": key}
            answer = self.http.post(f"{self.here}/hands", json=[event])
            assert answer.status_code == 204, answer.text

    def press_last_button(self) -> None:
        """The button that stands last on the page."""
        self.press("Shift+Tab", "Enter")

    def reload(self) -> None:
        """Load the page anew."""
        assert self.http.post(f"{self.here}/hands", json=[{"type": "reload"}]).status_code == 204

    def give_back(self, *, done: bool = True) -> None:
        """Give it back, or up."""
        data = {"done": "true" if done else "false"}
        answer = self.http.post(f"{self.here}/give-back", data=data)
        assert answer.status_code == 303, answer.text
