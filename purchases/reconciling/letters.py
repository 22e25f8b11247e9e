"""Reading an e-mail that may be hostile: text only, bounded, and no attachment is opened."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32, default
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from parsel import Selector

from crawler.marketplaces.checkout import Letters
from registry.errors import TouchstoneError

#: More than a shop needs to confirm an order, pictures included.
MAX_BYTES = 5 << 20
MAX_HEAD = 256 << 10
MAX_PARTS = 100
#: Lines that could end a part; the parser takes all of them before any is counted.
MAX_DASHES = 5_000
MAX_TEXT = 100_000
MAX_HEADER = 2_000
MAX_AUTHENTICATION = 10
MAX_NUMBERS = 20

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?")

#: As Python calls them. It has others that are no charsets, or take for ever (punycode).
_CHARSETS = re.compile(
    r"ascii|utf-(?:7|8|8-sig|16|16-be|16-le|32|32-be|32-le)|iso8859-\d+|cp\d+|koi8-[rtu]|tis-620"
    r"|mac-(?:roman|latin2|cyrillic|greek|turkish)|big5|big5hkscs|gb2312|gbk|gb18030|hz"
    r"|shift_jis(?:_2004|x0213)?|euc_(?:jp|jis_2004|jisx0213|kr)|johab|iso2022_(?:jp(?:_\w+)?|kr)"
)


class BadLetter(TouchstoneError):
    """A file that is no e-mail, or more of one than is read."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands in an e-mail, as it says of itself: any of it may be made up.

    Parameters
    ----------
    domain
        Of the address in ``From``; empty if there is none.
    text
        Its plain text, or what text its HTML has; clipped.
    authentication
        ``Authentication-Results`` headers as they came. Whether the buyer's own mail server
        wrote them, the file cannot tell.
    attachments
        How many parts were not looked at.
    """

    domain: str
    subject: str
    at: datetime | None
    text: str
    authentication: tuple[str, ...]
    attachments: int


@dataclass(frozen=True, slots=True)
class Said:
    """What an e-mail says about an order, by a shop's patterns.

    Parameters
    ----------
    kind
        ``confirmation``, ``shipping`` or ``other``.
    """

    kind: str
    numbers: tuple[str, ...]
    tracking: str | None
    carrier: str | None


class _Clipped(Compat32):
    """Headers are clipped before anything decodes them, the parser with a boundary included."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """As there, but no longer than is looked at."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER]


_CLIPPED = _Clipped()


def read_letter(raw: bytes) -> Letter:
    """Read an e-mail.

    Raises
    ------
    BadLetter
        If it is none, or larger than is read. Whatever else is wrong with it, is left out.
    """
    if not raw.strip():
        raise BadLetter("the e-mail is empty")
    if len(raw) > MAX_BYTES:
        raise BadLetter(f"the e-mail has {len(raw)} bytes; {MAX_BYTES} are read")
    end = _END_OF_HEAD.search(raw)
    if (end.start() if end else len(raw)) > MAX_HEAD:
        raise BadLetter("the e-mail's headers are longer than those of any shop")
    if raw.count(b"\n--") > MAX_DASHES:
        raise BadLetter("the e-mail is in more parts than are read")
    try:
        # The headers that are wanted are decoded one by one; the default policy would do so with
        # any of them whole, which takes for ever where one is made long on purpose.
        message = message_from_bytes(raw, policy=_CLIPPED)
    # The parser of the standard library raises what it likes where a letter is broken enough:
    # IndexError, AttributeError, RecursionError and others are known.
    except Exception as error:
        raise BadLetter(f"this is no e-mail: {type(error).__name__}") from error
    heads = _heads(message)
    if not {"from", "date", "subject", "received", "message-id"} & heads.keys():
        raise BadLetter("this is no e-mail: it says neither from whom nor when")
    plain, html, attachments = _texts(message)
    return Letter(
        domain=_domain(heads.get("from", [""])[0]),
        subject=_line(_decoded("Subject", heads.get("subject", [""])[0])),
        at=_date(heads.get("date", [""])[0]),
        text=(plain or _without_tags(html))[:MAX_TEXT],
        authentication=tuple(
            _line(one) for one in heads.get("authentication-results", ())[:MAX_AUTHENTICATION]
        ),
        attachments=attachments,
    )


def is_from(letter: Letter, domains: Iterable[str]) -> bool:
    """Whether it says that it comes from one of these domains, or from below one."""
    return any(
        letter.domain == domain or letter.domain.endswith(f".{domain}")
        for domain in map(str.lower, domains)
    )


def understand(letter: Letter, patterns: Letters | None) -> Said:
    """What it says by the patterns of a shop; nothing, where the shop has none."""
    if patterns is None:
        return Said("other", (), None, None)
    kind = "other"
    if re.search(patterns.confirmed, letter.subject, re.I):
        kind = "confirmation"
    elif patterns.shipped and re.search(patterns.shipped, letter.subject, re.I):
        kind = "shipping"
    numbers: dict[str, None] = {}
    for text in (letter.subject, letter.text):
        for match in re.finditer(patterns.number, text, re.I | re.M):
            if len(numbers) < MAX_NUMBERS:
                numbers[match[1]] = None
    return Said(
        kind,
        tuple(numbers),
        _first(patterns.tracking, letter.text),
        _first(patterns.carrier, letter.text),
    )


def _first(pattern: str | None, text: str) -> str | None:
    match = re.search(pattern, text, re.I | re.M) if pattern else None
    return None if match is None else _line(match[1])[:200]


def _heads(message: Message[str, str]) -> dict[str, list[str]]:
    """The headers as they came, by lower-cased name."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        # Bytes that are no ASCII stand there as lone surrogates.
        text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        found.setdefault(str(name).lower(), []).append(text)
    return found


def _decoded(name: str, value: str) -> str:
    try:
        return str(default.header_factory(name, " ".join(value.splitlines())))
    except Exception:  # as above: a header may be broken in ways that the parser does not know
        return value


def _domain(value: str) -> str:
    try:
        address = parseaddr(_decoded("From", value))[1]
    except Exception:  # as above
        return ""
    domain = address.rpartition("@")[2].strip().rstrip(".").lower()
    return domain if _DOMAIN.fullmatch(domain) else ""


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def _texts(message: Message[str, str]) -> tuple[str, str, int]:
    """All plain text, all HTML, and how many parts are neither or are attached."""
    plain: list[str] = []
    html: list[str] = []
    others = 0
    stack: list[Any] = [message]
    seen = 0
    # Not `walk`: it recurses as deep as the letter was nested.
    while stack and seen < MAX_PARTS:
        part = stack.pop()
        seen += 1
        try:
            kind = part.get_content_type()
            if part.is_multipart():
                # What was forwarded is somebody's word about an e-mail.
                if kind == "message/rfc822":
                    others += 1
                else:
                    stack.extend(reversed(part.get_payload()))
            elif kind not in ("text/plain", "text/html") or part.get_filename():
                others += 1
            else:
                (plain if kind == "text/plain" else html).append(_content(part))
        except Exception:  # as above: a part that cannot be read is not read
            others += 1
    return "\n".join(plain), "\n".join(html), others + len(stack)


def _content(part: Any) -> str:
    data = part.get_payload(decode=True) or b""
    return _clean(data[: 4 * MAX_TEXT].decode(_charset(part), "replace"))


def _charset(part: Any) -> str:
    """In what the part says that it is written, if mail is written in that; else UTF-8."""
    try:
        name = codecs.lookup(str(part.get_content_charset("utf-8"))).name
    except (LookupError, ValueError):
        return "utf-8"
    return name if _CHARSETS.fullmatch(name) else "utf-8"


def _without_tags(html: str) -> str:
    """The text of HTML, a line for each piece; nothing of it is loaded or run."""
    if not html.strip():
        return ""
    try:
        pieces = Selector(html[: 4 * MAX_TEXT], type="html").xpath(
            "//text()[not(ancestor::script or ancestor::style or ancestor::title)]"
        )
        lines = (" ".join(piece.get().split()) for piece in pieces)
        return "\n".join(line for line in lines if line)
    except Exception:  # as above: lxml has errors of its own
        return ""


def _clean(text: str) -> str:
    return "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c in "\n\t")


def _line(text: str) -> str:
    """As one line that can be stored and shown."""
    return " ".join(_clean(text).encode("utf-8", "replace").decode().split())[:MAX_HEADER]
