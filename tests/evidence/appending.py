"""A process that appends to the ledger; small, so that several are started quickly."""

from __future__ import annotations

import threading

from evidence.custody import ledger
from registry.database import Database

CASE = "case:00000000-0000-7000-8000-000000000001"


def append_many(url: str, name: str, number: int) -> None:
    """Append in several transactions, some of which fail, from two threads at once."""

    def work(thread: int) -> None:
        for turn in range(number):
            try:
                with database.writing() as session:
                    for part in range(1 + turn % 2):
                        ledger.record(
                            session,
                            event="viewed",
                            subject=CASE,
                            actor=f"{name}-{thread}",
                            details={"turn": turn, "part": part},
                        )
                    if turn % 5 == 4:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass

    database = Database(url)
    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
