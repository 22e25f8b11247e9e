"""Where a persona's e-mails are, and reading them there: nothing is marked, moved or sent."""

from __future__ import annotations

import imaplib
import mailbox
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from purchases.reconciling.letters import MAX_BYTES
from registry.errors import TouchstoneError
from registry.models import Person, Persona, PurchaseMailbox, Secret
from registry.models.base import utcnow
from registry.secrets import Vault

#: So many e-mails are looked at, the newest first.
MAX_LETTERS = 500
TIMEOUT_SECONDS = 30.0

_FOLDER = re.compile(r"[\x20-\x7e]{1,200}")
_CODE = re.compile(r"\[([A-Z]{2,30})[ \]]")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
#: As IMAP writes it, whatever language the server's clock speaks.
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class MailboxError(TouchstoneError):
    """A mailbox that cannot be read."""


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox: a Maildir on this machine, or a folder at an IMAP server over TLS."""

    url: str
    password: str | None


def set_mailbox(
    session: Session, vault: Vault, persona: Persona, url: str, secret: str | None, by: Person
) -> PurchaseMailbox:
    """Say where a persona's e-mails are; over what was said before.

    Parameters
    ----------
    url
        ``maildir:///path`` or ``imaps://user@host:port/FOLDER``; a user with an @ in it as %40.
    secret
        The name of the stored secret with the password, for the latter.

    Raises
    ------
    TouchstoneError
        If that is no mailbox, there is no such secret, a persona pays with it, or the person
        may not say: a buyer would choose to which server a secret goes.
    """
    trusted = bool({"administrator", "finance"} & set(by.roles))
    if not trusted and (secret is not None or persona.person_id != by.id):
        raise TouchstoneError(
            f"{by.name} may not: finance or an administrator does, or the persona's buyer "
            "where it is a Maildir"
        )
    if secret is not None:
        if session.get(Secret, secret) is None:
            raise TouchstoneError(f"there is no secret {secret!r}: touchstone secret set {secret}")
        _no_means(session, secret)
    _checked(url, secret)
    row = session.get(PurchaseMailbox, persona.id) or PurchaseMailbox(persona_id=persona.id)
    row.sealed = vault.seal(url.encode(), context=f"mailbox:{persona.id}")
    row.secret, row.set_by, row.created_at = secret, by.name, utcnow()
    session.add(row)
    session.flush()
    return row


def mailbox_of(session: Session, vault: Vault, persona: Persona) -> Box | None:
    """Where a persona's e-mails are, opened; None if nobody has said.

    Raises
    ------
    SecretsError
        If it cannot be opened.
    MailboxError
        If a persona pays with what should be its password.
    """
    row = session.get(PurchaseMailbox, persona.id)
    if row is None:
        return None
    url = vault.open(row.sealed, context=f"mailbox:{persona.id}").decode()
    if row.secret is None:
        return Box(url, None)
    _no_means(session, row.secret)
    sealed = session.get_one(Secret, row.secret).sealed
    return Box(url, vault.open(sealed, context=f"secret:{row.secret}").decode())


def _no_means(session: Session, secret: str) -> None:
    """No means of payment goes to a mail server."""
    if session.scalar(select(Persona.id).where(Persona.secret == secret).limit(1)) is not None:
        raise MailboxError(f"mailbox: a persona pays with {secret!r}: its password is another")


def read_box(box: Box, since: datetime, context: ssl.SSLContext | None = None) -> Iterator[bytes]:
    """The e-mails that came since then, newest first; what is too large is left out.

    Parameters
    ----------
    since
        What came up to a day before is among them: clocks differ.
    context
        Which certificates are believed; None: the machine's.

    Raises
    ------
    MailboxError
        If it cannot be read.
    """
    parts = _checked(box.url, "" if box.password is not None else None)
    since -= timedelta(days=1)
    if parts.scheme == "maildir":
        yield from _maildir(Path(unquote(parts.path)), since)
    else:
        yield from _imap(parts, box.password or "", since, context or ssl.create_default_context())


def _checked(url: str, secret: str | None) -> Any:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        # What it says of the address may have the address in it.
        raise MailboxError("mailbox: this is no address") from error
    if parts.scheme == "maildir":
        if parts.netloc or not parts.path.startswith("/"):
            raise MailboxError("mailbox: a Maildir is maildir:///absolute/path")
        return parts
    if parts.scheme != "imaps" or not parts.hostname or not parts.username or port == 0:
        raise MailboxError("mailbox: write maildir:///path or imaps://user@host/INBOX")
    if parts.password is not None:
        raise MailboxError("mailbox: the password is a secret of its own: touchstone secret set")
    if secret is None:
        raise MailboxError("mailbox: name the secret with its password (--secret)")
    if not _FOLDER.fullmatch(unquote(parts.path).strip("/") or "INBOX"):
        raise MailboxError("mailbox: a folder's name is plain text")
    return parts


def _maildir(path: Path, since: datetime) -> Iterator[bytes]:
    if not (path / "cur").is_dir():
        raise MailboxError("mailbox: there is no Maildir at that place")
    try:
        box = mailbox.Maildir(path, create=False)
        found = []
        for folder in ("new", "cur"):
            for file in (path / folder).iterdir():
                if file.is_symlink() or not file.is_file():
                    continue
                about = file.stat()
                if about.st_mtime >= since.timestamp() and about.st_size <= MAX_BYTES:
                    found.append((about.st_mtime, file.name.partition(box.colon)[0]))
        for _, key in sorted(found, reverse=True)[:MAX_LETTERS]:
            try:
                yield box.get_bytes(key)
            except (KeyError, FileNotFoundError):
                continue  # it was moved or deleted meanwhile
    except OSError as error:
        raise MailboxError(f"mailbox: {error.strerror}") from error


def _imap(parts: Any, password: str, since: datetime, context: ssl.SSLContext) -> Iterator[bytes]:
    folder = unquote(parts.path).strip("/") or "INBOX"
    day = since.astimezone(UTC)
    after = f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year}"
    try:
        with imaplib.IMAP4_SSL(
            parts.hostname, parts.port or 993, ssl_context=context, timeout=TIMEOUT_SECONDS
        ) as server:
            server.login(unquote(parts.username), password)
            quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
            _, answer = server.select(f'"{quoted}"', readonly=True)
            if server.state != "SELECTED":
                raise MailboxError(f"mailbox: the server has no such folder{_code(answer[0])}")
            _, found = server.uid("SEARCH", "SINCE", after)
            numbers = (found[0] or b"").split() if found else []
            for number in reversed(numbers[-MAX_LETTERS:]):
                raw = _fetch(server, number.decode("ascii", "replace"))
                if raw is not None:
                    yield raw
    except (imaplib.IMAP4.error, OSError) as error:
        # What they say themselves has the address in it, which is sealed, or what the server
        # made of it; so they are not kept as the cause either. ssl errors are OSErrors.
        kind = type(error).__qualname__
        said = f"mailbox: the server cannot be read: {kind}{_code(*error.args[:1])}"
        raise MailboxError(said) from None


def _fetch(server: imaplib.IMAP4_SSL, number: str) -> bytes | None:
    _, sizes = server.uid("FETCH", number, "(RFC822.SIZE)")
    size = next((_SIZE.search(one) for one in sizes if isinstance(one, bytes)), None)
    if size is None or int(size[1]) > MAX_BYTES:
        return None
    _, parts = server.uid("FETCH", number, f"(BODY.PEEK[]<0.{MAX_BYTES}>)")
    return next((bytes(one[1]) for one in parts if isinstance(one, tuple)), None)


def _code(answer: Any = b"") -> str:
    """The response code that IMAP has for programs (RFC 9051, 7.1), if there is one."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    found = _CODE.match(text)
    return f" [{found[1]}]" if found else ""
