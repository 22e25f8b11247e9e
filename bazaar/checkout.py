"""Cart and checkout: four steps, and a table of every order that the shop got.

The shop takes each order that is sent, twice the same too: who clicks twice must be seen.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

SHIPPING = {"standard": Decimal("4.90"), "express": Decimal("12.50")}
COOKIE = "bazaar_session"


@dataclass
class Basket:
    """One visitor's way through the checkout."""

    token: str = field(default_factory=lambda: secrets.token_hex(16))
    listing: str | None = None
    quantity: int = 1
    address: dict[str, str] = field(default_factory=dict)
    shipping: str = ""
    payment: str = ""
    trouble: str = ""


class Orders:
    """The orders that came in, on disk before the answer goes out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._open() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, "
                "order_number TEXT UNIQUE, listing_id TEXT, quantity INTEGER, total TEXT, "
                "currency TEXT, buyer_name TEXT, address TEXT, email TEXT, created_at TEXT)"
            )

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def place(
        self, basket: Basket, total: Decimal, currency: str, account: str | None = None
    ) -> str:
        """Write an order; its number.

        Parameters
        ----------
        account
            Who is signed in; None for a guest.
        """
        number = f"B-{secrets.randbelow(10**8):08d}"
        address = basket.address
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO orders (order_number, listing_id, quantity, total, currency, "
                "buyer_name, address, email, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number, basket.listing, basket.quantity, str(total), currency,
                    address.get("name"),
                    f"{address.get('line1')}, {address.get('postcode')} {address.get('city')}, "
                    f"{address.get('country')}",
                    address.get("email"), datetime.now(UTC).isoformat(),
                ),
            )  # fmt: skip
            connection.execute(
                "INSERT INTO progress VALUES (?, ?, 'placed', NULL)", (number, account)
            )
        return number
