"""Buyers' accounts: signing in, the list of their orders, and a guest's look-up of one."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

COOKIE = "bazaar_account"
PAGE = 10


@dataclass(frozen=True)
class Placed:
    """An order, as its buyer sees it."""

    number: str
    listing: str
    total: Decimal
    currency: str
    at: datetime
    status: str
    tracking: str | None


class Accounts:
    """Who has an account, in the file of the orders: it all outlives the server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(self._open()) as connection:
            connection.executescript(
                "CREATE TABLE IF NOT EXISTS accounts (email TEXT PRIMARY KEY, salt TEXT,"
                " hash TEXT);"
                "CREATE TABLE IF NOT EXISTS signed_in (token TEXT PRIMARY KEY, email TEXT);"
                "CREATE TABLE IF NOT EXISTS progress (order_number TEXT PRIMARY KEY, account TEXT,"
                " status TEXT, tracking TEXT);"
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30, isolation_level=None)

    def register(self, email: str, password: str) -> bool:
        """Open an account; False if there is one of that address."""
        salt = secrets.token_hex(8)
        with closing(self._open()) as connection:
            made = connection.execute(
                "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (email.casefold(), salt, _hash(password, salt)),
            )
            return made.rowcount == 1

    def sign_in(self, email: str, password: str) -> str | None:
        """The token of a new session; None if that is nobody, or not the password."""
        with closing(self._open()) as connection:
            row = connection.execute(
                "SELECT salt, hash FROM accounts WHERE email = ?", (email.casefold(),)
            ).fetchone()
            if row is None or not secrets.compare_digest(row[1], _hash(password, row[0])):
                return None
            token = secrets.token_hex(16)
            connection.execute("INSERT INTO signed_in VALUES (?, ?)", (token, email.casefold()))
            return token

    def whose(self, token: str) -> str | None:
        """Who is signed in with a token."""
        with closing(self._open()) as connection:
            row = connection.execute(
                "SELECT email FROM signed_in WHERE token = ?", (token,)
            ).fetchone()
        return None if row is None else str(row[0])

    def orders(self, email: str, page: int) -> tuple[list[Placed], bool]:
        """A page of an account's orders, newest first, and whether there are more."""
        rows = self._select(
            "p.account = ? ORDER BY o.id DESC LIMIT ? OFFSET ?", email, PAGE + 1, (page - 1) * PAGE
        )
        return rows[:PAGE], len(rows) > PAGE

    def of_guest(self, email: str, number: str) -> Placed | None:
        """The order of a number, for whoever knows the address that was given with it."""
        rows = self._select("o.order_number = ? AND lower(o.email) = ?", number, email.casefold())
        return rows[0] if rows else None

    def ship(self, number: str, tracking: str) -> str | None:
        """Note that an order is on its way; the buyer's address, None if there is no such order."""
        with closing(self._open()) as connection:
            connection.execute(
                "UPDATE progress SET status = 'shipped', tracking = ? WHERE order_number = ?",
                (tracking, number),
            )
            row = connection.execute(
                "SELECT email FROM orders WHERE order_number = ?", (number,)
            ).fetchone()
        return None if row is None else str(row[0])

    def _select(self, where: str, *values: object) -> list[Placed]:
        with closing(self._open()) as connection:
            rows = connection.execute(
                "SELECT o.order_number, o.listing_id, o.total, o.currency, o.created_at, p.status,"
                " p.tracking FROM orders o JOIN progress p ON p.order_number = o.order_number"
                f" WHERE {where}",
                values,
            ).fetchall()
        return [
            Placed(
                number, listing, Decimal(total), currency, datetime.fromisoformat(at), status, code
            )
            for number, listing, total, currency, at, status, code in rows
        ]


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=2**10, r=8, p=1).hex()
