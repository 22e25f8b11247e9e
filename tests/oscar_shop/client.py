"""Start the shop as a process, and read its books from its own tables."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import NamedTuple, Self

REPOSITORY = Path(__file__).resolve().parents[2]
READY = "oscar: "
START_SECONDS = 120.0


class OrderLine(NamedTuple):
    """One line of an order; ``product_id`` is the number at the end of the product's URL."""

    product_id: int
    title: str
    partner: str
    quantity: int
    total_incl_tax: Decimal


class Order(NamedTuple):
    """One row of the shop's order table, in the shop's currency (GBP)."""

    number: str
    total_incl_tax: Decimal
    lines: tuple[OrderLine, ...]


class Shop:
    """A running shop; a context manager that stops it.

    Parameters
    ----------
    directory : Path
        Where the shop keeps its database, index and pictures.
    process : subprocess.Popen
        The server, which has said that it accepts connections.
    url : str
        Root of the shop, with a slash at the end.
    """

    def __init__(self, directory: Path, process: subprocess.Popen[str], url: str) -> None:
        self.directory = directory
        self.process = process
        self.url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server; its directory stays and can be started again."""
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def orders(self) -> list[Order]:
        """Return every order in the shop's order table, oldest first."""
        with closing(self._connect()) as connection:
            return [
                Order(
                    number,
                    _money(total),
                    tuple(
                        OrderLine(product, title, partner, quantity, _money(line_total))
                        for product, title, partner, quantity, line_total in connection.execute(
                            "SELECT product_id, title, partner_name, quantity,"
                            " line_price_incl_tax FROM order_line WHERE order_id = ? ORDER BY id",
                            (key,),
                        )
                    ),
                )
                for key, number, total in connection.execute(
                    "SELECT id, number, total_incl_tax FROM order_order ORDER BY id"
                ).fetchall()
            ]

    def product_count(self) -> int:
        """Count the products that a visitor can find: public and standalone."""
        with closing(self._connect()) as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM catalogue_product"
                " WHERE is_public AND structure = 'standalone'"
            ).fetchone()
        return int(count)

    def _connect(self) -> sqlite3.Connection:
        file = (self.directory / "shop.sqlite3").resolve()
        return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30)


def start(directory: Path, *, products: int = 240, jsonld: bool = False, port: int = 0) -> Shop:
    """Make the shop in a directory if it is not there yet, and serve it.

    Parameters
    ----------
    directory : Path
        Made when missing. A shop that is already in it keeps its products and orders.
    products : int
        How many products a new shop gets, at least 20.
    jsonld : bool
        Serve product pages with JSON-LD that names the seller.
    port : int
        Port on 127.0.0.1; 0 takes a free one.

    Raises
    ------
    RuntimeError
        If the server ends, or stays silent for `START_SECONDS`; with the end of its log.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "server.log"
    command = [sys.executable, "-m", "tests.oscar_shop", str(directory.resolve())]
    command += ["--port", str(port), "--products", str(products)]
    if jsonld:
        command.append("--jsonld")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    assert process.stdout is not None
    watchdog = Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    except BaseException:
        process.kill()
        raise
    finally:
        watchdog.cancel()
    if not line.startswith(READY):
        process.kill()
        process.wait()
        process.stdout.close()
        tail = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the oscar shop did not start: {line!r}\n{tail}")
    return Shop(directory, process, line.removeprefix(READY).strip())


def _money(value: float | int | str) -> Decimal:
    # SQLite gives NUMERIC columns back as floats; the shop keeps two places.
    return Decimal(str(value)).quantize(Decimal("0.01"))
