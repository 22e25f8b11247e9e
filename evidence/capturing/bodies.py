"""Payloads in files: written as they come, within limits, and never whole in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MAX_BODY_BYTES = 1 << 30
MAX_ALL_BODIES_BYTES = 2 << 30


@dataclass(slots=True)
class Store:
    """The folder with the payloads of one visit.

    Parameters
    ----------
    max_body, max_all
        Bytes of one payload, and of all together, beyond which nothing more is kept.
    """

    folder: Path
    max_body: int = MAX_BODY_BYTES
    max_all: int = MAX_ALL_BODIES_BYTES
    kept: int = 0
    _number: int = 0

    def new(self) -> Body:
        """A payload that has no bytes yet, and no file before it has."""
        self._number += 1
        return Body(self, self.folder / str(self._number))

    def keep(self, data: bytes) -> Body:
        """A payload that is here already."""
        body = self.new()
        body.write(data)
        return body


@dataclass(slots=True)
class Body:
    """A payload that is written piece by piece.

    Attributes
    ----------
    size
        Bytes in its file.
    full
        Whether bytes were left out because of a limit.
    """

    store: Store
    path: Path
    size: int = 0
    full: bool = False

    def write(self, data: bytes) -> None:
        """Add bytes, as many as the limits allow."""
        room = min(self.store.max_body - self.size, self.store.max_all - self.store.kept)
        if self.full:
            return
        if len(data) > room:
            self.full = True
            data = data[: max(0, room)]
        if data:
            # Opened for each piece: a page may have more answers on their way than a process
            # may have open files.
            with self.path.open("ab") as file:
                file.write(data)
            self.size += len(data)
            self.store.kept += len(data)

    def forget(self) -> None:
        """Take back what was written."""
        self.path.unlink(missing_ok=True)
        self.store.kept -= self.size
        self.size, self.full = 0, False


@dataclass(slots=True)
class Stream:
    """What is known of a payload while it comes.

    Parameters
    ----------
    expected
        Bytes of the payload that the browser said it received, whether or not it handed
        them out.
    carried
        Bytes that this took on the wire; at its end, with the head of the answer.
    state
        ``asking`` whether the browser hands the bytes out, ``on``, or ``off``.
    """

    body: Body
    expected: int = 0
    carried: int = 0
    state: str = "asking"
    held: list[bytes] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether every byte that the browser received is here."""
        return self.state == "on" and self.body.size == self.expected

    @property
    def over(self) -> bool:
        """Whether more came than is kept."""
        return self.body.full or self.expected > self.body.store.max_body

    def take(self, data: bytes) -> None:
        """Bytes that the browser handed out; those before them may not be here yet."""
        if self.state == "on":
            self.body.write(data)
        else:
            self.held.append(data)

    def begin(self, before: bytes) -> None:
        """The browser hands the bytes out; these came before it did."""
        self.state = "on"
        for data in (before, *self.held):
            self.body.write(data)
        self.held.clear()

    def replace(self, data: bytes) -> None:
        """The whole payload, had in another way."""
        self.body.forget()
        self.body.write(data)
        self.state, self.expected = "on", len(data)
