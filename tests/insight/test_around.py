"""What is known around a listing: its seller, prices of others, earlier listings, verdicts."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from insight import relistings
from insight.brands import brand_values, load_brand, terms
from insight.comparables import comparables
from insight.examples import examples, learn
from insight.models import keep, running_model, use
from insight.rates import running_rates
from insight.relistings import KnownHashes, find_relistings
from insight.sellers import rating_share, seller_facts
from insight.triage import load_snapshot
from insight.verdicts import record
from matchers import pictures
from matchers.model import shipped
from matchers.price import shipped_rates
from matchers.values import Picture as PictureValues
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    LearnedModel,
    Mark,
    Marketplace,
    Picture,
    Plan,
    Product,
    Reference,
    Seller,
    Verdict,
)
from registry.settings import Settings
from tests.insight.shop import assessment, days_ago, picture, snapshot
from tests.pictures import draw, jpeg


@pytest.fixture
def plan(database: Database, blobs: Blobs) -> Plan:
    """A brand with a tote and its picture, and a plan for a marketplace."""
    with database.writing() as session:
        brand = Brand(slug="v", name="Velaro", owner="V")
        product = Product(sku="T", name="Tote")
        product.references = [Reference(sha256=picture(session, blobs, jpeg(1)), position=0)]
        brand.products = [product]
        market = Marketplace(name="m", kind="bazaar", url="https://shop.example/")
        plan = Plan(
            name="p", brand=brand, marketplaces=[market], queries=["q"], browse=[], threshold=0.6,
            max_pages=9,
        )  # fmt: skip
        session.add(plan)
        session.flush()
        assert plan.marketplaces[0].id
        assert plan.brand.products[0].id
    return plan


def lists(session: Session, blobs: Blobs, plan: Plan, seed: int, number: int, **said: Any) -> UUID:
    """A listing that shows a picture; its snapshot's id."""
    sha256 = picture(session, blobs, jpeg(seed))
    return snapshot(session, plan.marketplaces[0], sha256, external_id=str(number), **said)


# Sellers


def facts(session: Session, plan: Plan, snapshot_id: UUID) -> Any:
    shown = load_snapshot(session, snapshot_id)
    found = seller_facts(
        session,
        shown.seller,
        plan.brand_id,
        shown.listing_id,
        [p.sha256 for p in shown.pictures if p.sha256],
    )
    assert found is not None
    return found


def test_what_is_known_of_a_seller(database: Database, blobs: Blobs, plan: Plan) -> None:
    with database.writing() as session:
        mine = [lists(session, blobs, plan, 30 + n, n) for n in range(4)]
        lists(session, blobs, plan, 30, 90, seller="other")
        lists(session, blobs, plan, 30, 91, seller="third")
        # A picture of the maker's is no tie between those who show it.
        lists(session, blobs, plan, 1, 92, seller="fourth")
        lists(session, blobs, plan, 1, 93, seller="s")
        judged = [
            assessment(session, mine[0], plan),
            assessment(session, mine[1], plan),
            assessment(session, mine[2], plan, gate="brand_not_claimed"),
        ]
        record(session, judged[0].id, "counterfeit", "Ada")
        record(session, judged[1].id, "counterfeit", "Ada")
        record(session, judged[1].id, "genuine", "Ada", "bought it: it is")
        seller = session.scalars(select(Seller).where(Seller.external_id == "s")).one()
        seller.rating, seller.joined_on, seller.country = 4.5, date(2020, 1, 1), "China"
    with database.reading() as session:
        first, last = facts(session, plan, mine[0]), facts(session, plan, mine[3])
    assert (first.listings, first.brand_listings, first.shared_with) == (5, 2, 2)
    assert (first.rating, first.joined_on, first.country) == (0.9, date(2020, 1, 1), "China")
    assert (last.counterfeits, last.genuines) == (1, 1)
    assert (first.counterfeits, first.genuines) == (0, 1), "a listing is no witness of itself"
    assert last.shared_with == 0


def test_no_seller_no_facts(database: Database, plan: Plan) -> None:
    with database.reading() as session:
        assert seller_facts(session, None, plan.brand_id, uuid4(), []) is None


@pytest.mark.parametrize(
    ("rating", "share"),
    [(None, None), (0.97, 0.97), (4.5, 0.9), (8.0, 0.8), (97.5, 0.975), (-1.0, None), (7e9, None)],
)
def test_ratings_of_any_scale(rating: float | None, share: float | None) -> None:
    assert rating_share(rating) == share


# Prices of others


def test_what_others_ask_one_price_of_each_seller_and_none_of_fakes(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    product_id = plan.brand.products[0].id
    offers: list[tuple[str, str, int, dict[str, Any]]] = [
        (f"s{n}", "EUR", 100 + n, {}) for n in range(5)
    ]
    offers += [
        ("s0", "EUR", 104, {}),
        ("us", "USD", 116, {}),
        ("f", "EUR", 20, {"outcome": "flag"}),
    ]
    said = {"title": "Velaro Tote", "description": ""}
    with database.writing() as session:
        for number, (seller, currency, amount, judged) in enumerate(offers):
            row = lists(
                session, blobs, plan, 40, number, seller=seller, amount=Decimal(amount),
                **{**said, "currency": currency},
            )  # fmt: skip
            assessment(session, row, plan, product_id=product_id, **judged)
        # What was judged twice counts as it was judged last.
        again = lists(session, blobs, plan, 40, 50, seller="d", amount=Decimal(30), **said)
        assessment(session, again, plan, product_id=product_id)
        assessment(session, again, plan, product_id=product_id, outcome="flag")
        used = {**said, "condition": "used"}
        second = lists(session, blobs, plan, 40, 51, seller="u", amount=Decimal(30), **used)
        assessment(session, second, plan, product_id=product_id)
        mine = lists(session, blobs, plan, 40, 60, seller="e", amount=Decimal(99), **said)
        assessment(session, mine, plan, product_id=product_id)
    with database.reading() as session:
        brand = brand_values(load_brand(session, plan.brand_id))
        (found,) = comparables(session, load_snapshot(session, mine), brand, shipped_rates())
    assert (found.product_id, found.count, found.currency) == (str(product_id), 6, "EUR")
    # 100 and 104 of one seller are 102; 116 dollars are 100 euros: 100 101 102 102 103 104.
    assert math.exp(found.log_median) == pytest.approx(102, abs=0.2)


# Relistings


def relisted(session: Session, snapshot_id: UUID, *makers: str) -> Any:
    shown = load_snapshot(session, snapshot_id)
    values = [
        PictureValues(p.picture.sha256, 1, 1, p.picture.fingerprint["hash"])
        for p in shown.pictures
        if p.picture is not None
    ]
    return find_relistings(session, KnownHashes(), shown, values, makers)


def test_a_listing_that_comes_back_under_another_seller_is_known(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    edited = BytesIO()
    draw(31).resize((300, 300)).save(edited, "JPEG", quality=50)
    with database.writing() as session:
        before = lists(session, blobs, plan, 31, 1, seller="a", seen=days_ago(30))
        record(session, assessment(session, before, plan).id, "counterfeit", "Ada")
        lists(session, blobs, plan, 32, 2, seller="b", seen=days_ago(20))
        sha256 = picture(session, blobs, edited.getvalue())
        again = snapshot(session, plan.marketplaces[0], sha256, external_id="9", seller="c")
        listing_id = str(load_snapshot(session, before).listing_id)
    with database.reading() as session:
        (found,) = relisted(session, again)
        assert (found.listing_id, found.verdict) == (listing_id, "counterfeit")
        assert "picture" in found.traits
        assert relisted(session, before) == (), "an earlier one is not the later one come back"


def test_the_makers_picture_makes_no_relisting(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    with database.writing() as session:
        lists(session, blobs, plan, 1, 1, seller="a", seen=days_ago(30))
        again = lists(session, blobs, plan, 1, 2, seller="b")
        maker = load_snapshot(session, again).pictures[0].picture
        assert maker is not None
        text = str(maker.fingerprint["hash"])
    with database.reading() as session:
        assert relisted(session, again, text) == ()
        assert len(relisted(session, again)) == 1


def test_what_a_seller_offers_side_by_side_is_no_relisting(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    with database.writing() as session:
        first = lists(session, blobs, plan, 33, 1, seller="a", seen=days_ago(30))
        second = lists(session, blobs, plan, 33, 2, seller="a", seen=days_ago(2))
        load_snapshot(session, first).listing.last_seen_at = days_ago(0)
    with database.reading() as session:
        assert relisted(session, second) == ()
    with database.writing() as session:
        load_snapshot(session, first).listing.last_seen_at = days_ago(10)
    with database.reading() as session:
        assert len(relisted(session, second)) == 1, "it was gone, and came back under another id"


def test_the_known_hashes_grow_with_the_database(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    known = KnownHashes()
    with database.writing() as session:
        one = picture(session, blobs, jpeg(61))
    with database.reading() as session:
        known.refresh(session)
    with database.writing() as session:
        two = picture(session, blobs, jpeg(62))
    with database.reading() as session:
        known.refresh(session)
        known.refresh(session)
    with database.reading() as session:
        hashes = [str(session.get_one(Picture, s).fingerprint["hash"]) for s in (one, two)]
    assert known.alike(hashes, 0) == sorted([one, two])
    assert known.alike(hashes[1:], 10) == [two]


def test_the_index_and_those_since_find_what_comparing_each_does(
    database: Database, blobs: Blobs, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relistings, "BATCH", 4)
    monkeypatch.setattr(relistings, "MAX_KNOWN", 10)
    dice = Random(5)
    base = dice.getrandbits(256)
    kept: list[tuple[str, int]] = []
    known = KnownHashes()
    for number in range(16):
        flipped = dice.sample(range(256), 2 * number)
        value = base ^ sum(1 << bit for bit in flipped)
        row = Picture(
            sha256=f"{number:064x}", blob=f"{number}", media_type="image/jpeg",
            fingerprint={"hash": f"{value:064x}"}, matcher=pictures.VERSION,
        )  # fmt: skip
        with database.writing() as session:
            session.add(row)
        kept.append((f"{number:064x}", 2 * number))
        with database.reading() as session:
            known.refresh(session)
        # Ten at least, and no more than a batch beyond: the newest.
        found = known.alike([f"{base:064x}"], 40)
        assert found == [sha256 for sha256, _ in kept][-len(found) :]
        assert len(found) == len(kept) if number < 10 else 10 <= len(found) <= 14
        least = kept[-len(found)][1]
        assert known.alike([f"{base:064x}"], least) == [kept[-len(found)][0]]


# Verdicts and models


def test_a_verdict_has_a_name_and_a_second_thought_is_a_second_row(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    with database.writing() as session:
        judged = assessment(session, lists(session, blobs, plan, 34, 1), plan)
        record(session, judged.id, "counterfeit", "  Ada   Lovelace ", " seams ")
        record(session, judged.id, "genuine", "Grace Hopper")
    with database.reading() as session:
        rows = session.scalars(select(Verdict).order_by(Verdict.id)).all()
    assert [(v.verdict, v.by, v.note) for v in rows] == [
        ("counterfeit", "Ada Lovelace", "seams"),
        ("genuine", "Grace Hopper", None),
    ]
    assert {v.model_version for v in rows} == {"m"}


@pytest.mark.parametrize(
    ("said", "by", "note", "why"),
    [
        ("fake", "Ada", "", "there are: counterfeit"),
        ("genuine", "  ", "", "name"),
        ("genuine", "A" * 201, "", "200"),
        ("genuine", "Ada", "x" * 4001, "4000"),
        ("genuine", "A\x00da", "", "NUL"),
    ],
)
def test_a_verdict_that_is_none_keeps_nothing(
    database: Database, blobs: Blobs, plan: Plan, said: str, by: str, note: str, why: str
) -> None:
    with database.writing() as session:
        judged = assessment(session, lists(session, blobs, plan, 34, 1), plan)
    with pytest.raises(TouchstoneError, match=why), database.writing() as session:
        record(session, judged.id, said, by, note)
    with database.reading() as session:
        assert session.scalars(select(Verdict)).all() == []


def test_examples_are_the_newest_verdicts_that_say_something(
    database: Database, blobs: Blobs, plan: Plan
) -> None:
    signals = [{"name": "brand_in_title", "value": 1.0}, {"name": "lexicon_4", "value": 0.5}]
    with database.writing() as session:
        rows = [
            assessment(
                session, lists(session, blobs, plan, 34, n), plan, result={"signals": signals},
                gate="authorised_seller" if n == 3 else None,
            )
            for n in range(4)
        ]  # fmt: skip
        for number, said in [
            (0, "genuine"), (0, "trademark_use"), (1, "grey_import"), (2, "unclear"),
            (3, "counterfeit"),
        ]:  # fmt: skip
            record(session, rows[number].id, said, "Ada")
    with database.writing() as session:
        found = examples(session)
        assert sorted(one.label for one in found) == [False, True]
        assert found[0].signals == {"brand_in_title": 1.0, "lexicon_4": 0.5}
        assert len({one.group for one in found}) == 1, "one seller, one product"
        learned = learn(session)
        assert not learned.report.replaces
        assert session.scalars(select(LearnedModel)).all() == []
        assert running_model(session) == shipped()


def test_a_learned_model_judges_until_another_is_put_in_its_place(database: Database) -> None:
    better = shipped().model_copy(update={"version": "learned-1", "bias": -3.0})
    with database.writing() as session:
        keep(session, better, {"reason": "a test"}, active=True)
    with database.reading() as session:
        assert running_model(session) == better
    with database.writing() as session:
        use(session, "shipped")
        assert running_model(session) == shipped()
        assert use(session, "learned-1") == better
        with pytest.raises(TouchstoneError, match="there are: shipped, learned-1"):
            use(session, "learned-2")
        session.scalars(select(LearnedModel)).one().content = {"version": "of other signals"}
        session.flush()
        with pytest.raises(TouchstoneError, match="match use shipped"):
            running_model(session)


# Words and rates


def test_terms_of_a_brand(database: Database) -> None:
    brand = Brand(
        slug="v", name="V", owner="V", keywords=["velaro", "веларо", "vel bags"],
        transliterations=["维拉罗"], nicknames=["vel"], product_words=["bag"],
    )  # fmt: skip
    brand.marks = [
        Mark(text="VELARO", kind="word", nice_classes=[18]),
        Mark(text="Velaro", kind="combined", nice_classes=[25]),
        Mark(text="A falling drop", kind="figurative", nice_classes=[14]),
    ]
    brand.products = [Product(sku="T", name="Aria Tote", nice_class=18, keywords=[])]
    found = {term.text: term for term in terms(brand)}
    assert {text: term.kind for text, term in found.items()} == {
        "VELARO": "mark",
        "维拉罗": "transliteration",
        "веларо": "transliteration",
        "vel": "nickname",
        "vel bags": "nickname",
        "Aria Tote": "product",
    }
    assert found["VELARO"].nice_classes == {18, 25}
    assert found["vel"].nice_classes == {14, 18, 25}
    assert all(term.product_words == ("bag",) for term in found.values())


def test_rates_of_a_file_or_those_that_ship(settings: Settings, tmp_path: Path) -> None:
    assert running_rates(settings).per_euro["EUR"] == 1
    file = tmp_path / "rates.yaml"
    file.write_text('day: 2026-11-20\nper_euro: {USD: "1.2"}\n', encoding="utf-8")
    own = settings.model_copy(update={"rates_file": file})
    assert running_rates(own).per_euro == {"EUR": Decimal(1), "USD": Decimal("1.2")}
    file.write_text('day: 2026-11-20\nper_euro: {USD: "-1"}\n', encoding="utf-8")
    with pytest.raises(TouchstoneError, match=r"per_euro\.USD"):
        running_rates(own)
    missing = settings.model_copy(update={"rates_file": tmp_path / "none.yaml"})
    with pytest.raises(TouchstoneError, match=r"none\.yaml"):
        running_rates(missing)
