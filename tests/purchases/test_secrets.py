"""Where the buyer's name, address and card are after a purchase in the browser, and where not."""

from __future__ import annotations

import gzip
import io
import logging
import mailbox
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from console.web.app import create_app
from evidence.exhibits import paper
from evidence.exhibits.exhibit import export
from purchases import assigning, ordering, people, personas, proposals
from purchases.reconciling import asking, job, mailboxes
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Assessment, Capture, Case, Exhibit, Job, Purchase, PurchaseLetter
from registry.secrets import open_vault
from registry.settings import Settings
from tests.console.conftest import serve
from tests.purchases.conftest import Shop, flagged
from tests.purchases.test_by_hand import CARD, PLANTED, dump

SECRETS = [text for name, text in PLANTED.fields().items() if name != "country"] + [CARD]
LETTER = (
    f"From: Bazaar <orders@bazaar.example>\nTo: {PLANTED.email}\n"
    f"Authentication-Results: mx.example; spf=pass smtp.mailfrom=bounce+{PLANTED.email}\n"
    f"Subject: Your order B-00000017\n\nOrder number: B-00000017\nItem: Tote\n"
    f"{PLANTED.name}, {PLANTED.line1}, {PLANTED.postcode} {PLANTED.city}\n"
).encode()


def within(data: bytes) -> Iterator[bytes]:
    """Bytes, and all that is packed in them."""
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield from within(packed.read(name))
    elif data.startswith(b"\x1f\x8b"):
        yield gzip.decompress(data)


def found(data: bytes | str) -> set[str]:
    """Which of the secrets can be read in it, also where it is a form that was sent."""
    raw = data.encode() if isinstance(data, str) else data
    seen = set()
    for part in within(raw):
        lower = part.lower()
        for secret in SECRETS:
            plain = secret.lower().encode()
            form = str(httpx.QueryParams({"": secret})).lower().removeprefix("=").encode()
            if any(one in lower for one in (plain, plain.hex().encode(), form)):
                seen.add(secret)
    return seen


def work(database: Database, settings: Settings, blobs: Blobs, kind: str) -> None:
    with database.writing() as session:
        wanted = select(Job.id).where(Job.state == "queued", Job.kind == kind)
        claim = jobs.claim(session, session.scalars(wanted).one(), "worker", 60)
    assert claim is not None
    do = ordering.purchase_job if kind == "purchase" else job.reconcile_job
    do(jobs.Hold(database, claim, 60), settings, blobs)


@pytest.fixture
def bought(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    open_shop: Callable[[str], Shop],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> UUID:
    """Ordered in the browser under the planted name, unclear, and looked into since."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 2.0)
    monkeypatch.setattr("purchases.reconciling.lists.PAUSE_SECONDS", 0.0)
    vault = open_vault(settings)
    assessment_id = flagged(database, open_shop("drop").url)
    box = mailbox.Maildir(tmp_path / "box", create=True)
    box.add(LETTER)
    with database.writing() as session:
        personas.set_secret(session, vault, "card-7", CARD, by="Finn Finance")
        bea = people.find(session, "Bea Buyer")
        row = personas.add(session, vault, bea, "P-9", PLANTED, "card-7")
        mailboxes.set_mailbox(session, vault, row, f"maildir://{tmp_path}/box", None, bea)
        made = proposals.propose(session, session.get_one(Assessment, assessment_id))
        assert made is not None
        proposals.approve(session, made.id, "Ada Lovelace")
        assigning.assign(session, vault, made.id, "Ada Lovelace", how="browser", persona="P-9")
        purchase_id = made.id
    work(database, settings, blobs, "purchase")
    with database.writing() as session:
        assert session.get_one(Purchase, purchase_id).state == "outcome_unclear"
        asking.ask(session, purchase_id, "Bea Buyer")
    work(database, settings, blobs, "reconcile")
    return purchase_id


def test_name_address_and_card_are_where_they_must_be_alone(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    bought: UUID,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In bundles and letters, which the console shows to nobody else and bags have sealed."""
    look_into_files(database, settings, bought)
    look_at_console(database, settings, blobs, bought)
    monkeypatch.setattr(paper, "print_html", lambda *_a, **_o: b"%PDF-1.7\n")
    look_into_bag(database, settings, blobs, bought, tmp_path)
    # It was bought before the test itself began.
    records = caplog.get_records("setup") + caplog.get_records("call")
    assert records
    assert found("\n".join(f"{one.getMessage()}\n{one.exc_text}" for one in records)) == set()


def look_into_files(database: Database, settings: Settings, bought: UUID) -> None:
    assert "P-9" in dump(database)
    assert found(dump(database)) == set()
    with database.reading() as session:
        bundles = set(
            session.scalars(select(Capture.blob).where(Capture.purchase_id == bought))
        ) | set(session.scalars(select(Exhibit.blob).join(PurchaseLetter)))
    seen = {key: set[str]() for key in bundles}
    for file in settings.data_dir.rglob("*"):
        if file.is_file():
            name = next((blob for blob in bundles if blob and str(file).endswith(blob)), None)
            if name is None:
                assert found(file.read_bytes()) == set(), file
            else:
                seen[name] = found(file.read_bytes())
    # What the browser sent is in its bundle, and what the shop wrote in the letter: as it was.
    # Neither a telephone nor a card was asked for there.
    assert set().union(*seen.values()) >= {PLANTED.email, PLANTED.line1, PLANTED.postcode}
    assert not {PLANTED.phone, CARD} & set().union(*seen.values())


def look_at_console(database: Database, settings: Settings, blobs: Blobs, bought: UUID) -> None:
    with database.reading() as session:
        captures = session.scalars(select(Capture.id).where(Capture.purchase_id == bought)).all()
        (letter,) = session.scalars(select(PurchaseLetter.id))
        (case,) = session.scalars(select(Case.reference))
    evidence = [
        f"/captures/{one}{part}"
        for one in captures
        for part in ("", "/screenshot", "/bundle", "/parts/datapackage.json")
    ]
    pages = [
        "/purchases", f"/purchases/{bought}", "/waiting", "/captures", f"/cases/{case}", "/jobs",
        "/takeovers", "/tasks", f"/tasks/{bought}", f"/tasks/{bought}/letters/{letter}",
        f"/purchases/{bought}/nothing",
    ]  # fmt: skip
    with serve(create_app(settings, database, blobs)) as console:
        for name in ("Ada Lovelace", "Finn Finance", "Eve Examiner", "Rae Requester"):
            with database.writing() as session:
                cookies = {"touchstone_code": people.new_code(session, name)}
            with httpx.Client(
                base_url=console.url, headers={"Origin": console.url}, cookies=cookies, timeout=60
            ) as client:
                for path in evidence:
                    answer = client.get(path)
                    assert answer.status_code == 403, (name, path)
                    assert found(answer.content) == set(), (name, path)
                for path in pages:
                    assert found(client.get(path).content) == set(), (name, path)
                wrong = {"direction": "delivery", "text": "x", "expected": "soon"}
                for path in (f"/tasks/{bought}/messages", f"/purchases/{bought}/settle"):
                    answer = client.post(path, data=wrong)
                    assert answer.status_code >= 400, (name, path)
                    assert found(answer.content) == set(), (name, path)


def look_into_bag(
    database: Database, settings: Settings, blobs: Blobs, bought: UUID, tmp_path: Path
) -> None:
    with database.reading() as session:
        (case,) = session.scalars(select(Case.reference))
    buyers = {bought: PLANTED.model_dump()}
    for sensitive in (False, True):
        done = export(
            database, blobs, settings, case, tmp_path / f"{sensitive}.zip", by="Ada Lovelace",
            buyers=buyers, personas=buyers.values(), include_sensitive=sensitive,
        )  # fmt: skip
        assert bool(done.sealed) is not sensitive
        # In the clear they are found, so that the search is one that finds them.
        assert bool(found(done.path.read_bytes())) is sensitive
