"""A small strict reader of DER, enough for time stamps.

Source: ITU-T X.690, sections 8 and 10: definite lengths in their shortest form, nothing after
the end. What is not looked into is not read, so nesting costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 1, 2, 3, 4, 5, 6
UTF8_STRING, GENERALIZED_TIME, SEQUENCE, SET = 12, 24, 0x30, 0x31


class NotDer(ValueError):
    """The bytes are not the DER that is expected."""


@dataclass(frozen=True)
class Element:
    """One element.

    Parameters
    ----------
    whole
        With its tag and length.
    """

    tag: int
    content: bytes
    whole: bytes

    def parts(self) -> list[Element]:
        """The elements in it."""
        return list(_elements(self.content))

    def sequence(self, least: int, tag: int = SEQUENCE) -> list[Element]:
        """The elements of a SEQUENCE (or another tag) of at least so many."""
        self.demand(tag)
        parts = self.parts()
        if len(parts) < least:
            raise NotDer(f"{len(parts)} elements where {least} belong")
        return parts

    def demand(self, tag: int) -> bytes:
        """The content, of an element with this tag.

        Raises
        ------
        NotDer
        """
        if self.tag != tag:
            raise NotDer(f"tag {self.tag:#x} where {tag:#x} belongs")
        return self.content

    def integer(self) -> int:
        """An INTEGER's value."""
        raw = self.demand(INTEGER)
        if not raw or (len(raw) > 1 and raw[0] in (0, 0xFF) and (raw[0] ^ raw[1]) < 0x80):
            raise NotDer("an INTEGER is not in its shortest form")
        return int.from_bytes(raw, "big", signed=True)

    def oid(self) -> str:
        """An OBJECT IDENTIFIER with points."""
        raw = self.demand(OID)
        if not raw or raw[-1] & 0x80 or len(raw) > 64:
            raise NotDer("an OBJECT IDENTIFIER breaks off")
        arcs, value, fresh = [], 0, True
        for byte in raw:
            if fresh and byte == 0x80:
                raise NotDer("an OBJECT IDENTIFIER is not in its shortest form")
            value = value << 7 | byte & 0x7F
            fresh = not byte & 0x80
            if fresh:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))

    def time(self) -> datetime:
        """A GeneralizedTime: UTC, to the second or with a fraction that ends in no zero."""
        text = self.demand(GENERALIZED_TIME).decode("ascii", "replace")
        seconds, point, fraction = text.rstrip("Z").partition(".")
        fits = text.endswith("Z") and text.count("Z") == 1 and len(seconds) == 14
        fits = fits and seconds.isdigit() and seconds.isascii()
        if point:
            fits = fits and fraction.isdigit() and fraction.isascii() and fraction[-1] != "0"
        if not fits:
            raise NotDer(f"{text!r} is no time")
        try:
            made = datetime.strptime(f"{seconds}+0000", "%Y%m%d%H%M%S%z")
        except ValueError as error:
            raise NotDer(f"{text!r} is no time") from error
        return made + timedelta(microseconds=int(fraction[:6].ljust(6, "0"))) if point else made


def read_der(data: bytes) -> Element:
    """The one element that the bytes are.

    Raises
    ------
    NotDer
    """
    elements = list(_elements(data))
    if len(elements) != 1:
        raise NotDer(f"{len(elements)} elements where one belongs")
    return elements[0]


def _elements(data: bytes) -> Iterator[Element]:
    at = 0
    while at < len(data):
        begun = at
        tag = data[at]
        if tag & 0x1F == 0x1F:
            raise NotDer("a tag of more than one byte")
        length, at = _length(data, at + 1)
        if at + length > len(data):
            raise NotDer("an element is longer than what it is in")
        yield Element(tag, data[at : at + length], data[begun : at + length])
        at += length


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise NotDer("an element breaks off")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    size = first & 0x7F
    raw = data[at + 1 : at + 1 + size]
    length = int.from_bytes(raw, "big")
    if not 1 <= size <= 4 or len(raw) != size or raw[0] == 0 or length < 0x80:
        raise NotDer("a length is not in its shortest form")
    return length, at + 1 + size
