"""Mailboxes of personas: a Maildir and an IMAP server over TLS, read and left as they are."""

from __future__ import annotations

import mailbox
import os
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from purchases import people, personas
from purchases.reconciling.letters import MAX_BYTES
from purchases.reconciling.mailboxes import Box, MailboxError, mailbox_of, read_box, set_mailbox
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import PurchaseMailbox
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases import imap, staff

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LETTER = b"From: orders@bazaar.example\r\nSubject: hello\r\n\r\nhello\r\n"
OTHER = LETTER.replace(b"hello", b"other")


@pytest.fixture(autouse=True)
def everybody() -> None:
    """Only where a test asks for people."""


def test_a_maildir_is_read_newest_first_and_left_as_it_is(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box", create=True)
    old, first, second, large = (
        box.add(raw) for raw in (b"x", LETTER, OTHER, b"y" * (MAX_BYTES + 1))
    )
    for days, key in ((-3, old), (1, first), (2, second), (2, large)):
        at = (NOW + timedelta(days=days)).timestamp()
        os.utime(tmp_path / "box" / "new" / key, (at, at))
    (tmp_path / "box" / "new" / "link").symlink_to("/etc/passwd")
    before = sorted(path.name for path in (tmp_path / "box").rglob("*"))
    assert list(read_box(Box(f"maildir://{tmp_path}/box", None), NOW)) == [OTHER, LETTER]
    assert sorted(path.name for path in (tmp_path / "box").rglob("*")) == before
    with pytest.raises(MailboxError, match="no Maildir"):
        list(read_box(Box(f"maildir://{tmp_path}/nowhere", None), NOW))


def test_an_imap_server_is_read_over_tls(tmp_path: Path) -> None:
    with imap.serve(tmp_path, [LETTER, b"y" * (MAX_BYTES + 1), OTHER]) as server:
        url = f"imaps://{quote(imap.USER, safe='')}@127.0.0.1:{server.port}/INBOX"
        read = list(read_box(Box(url, imap.PASSWORD), NOW, server.trusted))
        assert read == [OTHER, LETTER]
        assert 'EXAMINE "INBOX"' in server.asked
        assert "UID SEARCH SINCE 25-Nov-2026" in server.asked
        assert not [said for said in server.asked if "STORE" in said or "EXPUNGE" in said]
        with pytest.raises(MailboxError, match=r"IMAP4.error \[AUTHENTICATIONFAILED\]$"):
            list(read_box(Box(url, "another"), NOW, server.trusted))
        with pytest.raises(MailboxError, match="no such folder"):
            list(read_box(Box(url[:-5] + "Spam", imap.PASSWORD), NOW, server.trusted))
        # Nobody whose certificate is not believed gets the password.
        asked = len(server.asked)
        with pytest.raises(MailboxError, match="SSLCertVerificationError"):
            list(read_box(Box(url, imap.PASSWORD), NOW))
        assert len(server.asked) == asked
    with pytest.raises(MailboxError, match=r"cannot be read: ConnectionRefusedError$"):
        list(read_box(Box(url, imap.PASSWORD), NOW, server.trusted))


def test_an_error_says_nothing_of_where_the_mailbox_is(tmp_path: Path) -> None:
    with imap.serve(tmp_path, []) as server:
        # It is a certificate for the address alone.
        url = f"imaps://jane%40qrstuv.example@localhost:{server.port}/Jane"
        with pytest.raises(MailboxError) as raised:
            list(read_box(Box(url, "hunter2"), NOW, server.trusted))
        said = "".join(traceback.format_exception(raised.value))
        assert "SSLCertVerificationError" in said
        assert "localhost" not in said.partition("MailboxError")[2]
        url = url.replace("localhost", "127.0.0.1")
        with pytest.raises(MailboxError) as raised:
            list(read_box(Box(url, "hunter2"), NOW, server.trusted))
        assert "jane" not in str(raised.value).lower()


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("imap://u@mail.example/INBOX", "s", "imaps"),
        ("imaps://mail.example/INBOX", "s", "imaps"),
        ("imaps://u:pw@mail.example/INBOX", "s", "secret of its own"),
        ("imaps://u@mail.example/INBOX", None, "--secret"),
        ("imaps://u@mail.example/%0d%0aX", "s", "plain text"),
        ("imaps://u@[/INBOX", "s", "no address"),
        ("maildir://host/path", None, "absolute"),
        ("file:///etc/passwd", None, "imaps"),
    ],
)
def test_what_is_no_mailbox(url: str, secret: str | None, why: str) -> None:
    with pytest.raises(MailboxError, match=why):
        list(read_box(Box(url, secret), NOW))


def test_a_mailbox_is_sealed(database: Database, settings: Settings) -> None:

    staff.enter(database, settings)
    vault = open_vault(settings)
    url = "imaps://zyxwina%40qrstuv.example@mail.example/INBOX"
    with database.writing() as session:
        personas.set_secret(session, vault, "mail-p1", "hunter2", by="Finn Finance")
        persona = personas.find(session, "P-1")
        assert mailbox_of(session, vault, persona) is None
        finn, ada = (people.find(session, name) for name in ("Finn Finance", "Ada Lovelace"))
        with pytest.raises(TouchstoneError, match="may not"):
            set_mailbox(session, vault, persona, url, "mail-p1", ada)
        with pytest.raises(TouchstoneError, match="no secret"):
            set_mailbox(session, vault, persona, url, "none", finn)
        set_mailbox(session, vault, persona, url, "mail-p1", finn)
        row = session.get_one(PurchaseMailbox, persona.id)
        assert b"qrstuv" not in row.sealed
        assert mailbox_of(session, vault, persona) == Box(url, "hunter2")


def test_no_card_is_sent_to_a_mail_server(database: Database, settings: Settings) -> None:
    staff.enter(database, settings)
    vault = open_vault(settings)
    url = "imaps://a@mine.example/INBOX"
    with database.writing() as session:
        bea, ann = (people.find(session, name) for name in ("Bea Buyer", "Ann Admin"))
        for name in ("card-7", "mail-p1"):
            personas.set_secret(session, vault, name, "4929 1234", by="Finn Finance")
        personas.add(session, vault, bea, "P-7", personas.EXAMPLE, "card-7")
        persona = personas.find(session, "P-1")
        # The buyer says where their mailbox is, but not what password is sent there.
        with pytest.raises(TouchstoneError, match="finance"):
            set_mailbox(session, vault, persona, url, "mail-p1", bea)
        set_mailbox(session, vault, persona, "maildir:///post", None, bea)
        with pytest.raises(TouchstoneError, match="pays"):
            set_mailbox(session, vault, persona, url, "card-7", ann)
        set_mailbox(session, vault, persona, url, "mail-p1", ann)
        # It became what a persona pays with only since.
        personas.add(session, vault, bea, "P-8", personas.EXAMPLE, "mail-p1")
        with pytest.raises(MailboxError, match="pays"):
            mailbox_of(session, vault, persona)
