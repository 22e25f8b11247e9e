"""The random check: the same seed, the same sample; and nobody changes a frame unseen."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update
from uuid_utils.compat import uuid7

from insight.random_check import canonical, draw_sample, freeze, verify
from insight.sampling import Seen, allocate, draw, frame_text, sample_text, stratify
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Brand,
    FrameListing,
    LedgerEntry,
    Listing,
    Marketplace,
    Plan,
    Run,
    SampleFrame,
    Seller,
    Sighting,
    Snapshot,
)

DAY = datetime(2026, 11, 1, tzinfo=UTC)
FRAME = "f" * 64

sizes_and_sample = (
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3), st.integers(1, 25), min_size=1, max_size=6
    )
    .map(lambda sizes: (sizes, sum(sizes.values())))
    .flatmap(lambda pair: st.tuples(st.just(pair[0]), st.integers(len(pair[0]), pair[1])))
)


def frame_of(sizes: dict[str, int]) -> dict[str, str]:
    return {
        str(UUID(int=number)): stratum
        for number, stratum in enumerate(
            stratum for stratum, count in sizes.items() for _ in range(count)
        )
    }


# Pure


@given(case=sizes_and_sample)
def test_probabilities_sum_to_the_size_and_none_is_nought(case: tuple[dict[str, int], int]) -> None:
    sizes, size = case
    shares = allocate(sizes, size)
    assert sum(shares.values()) == size
    assert all(1 <= shares[name] <= count for name, count in sizes.items())
    chances = [Fraction(shares[stratum], sizes[stratum]) for stratum in frame_of(sizes).values()]
    assert sum(chances) == size


@given(case=sizes_and_sample)
def test_shares_are_near_their_proportion(case: tuple[dict[str, int], int]) -> None:
    sizes, size = case
    shares, strata, total = allocate(sizes, size), len(sizes), sum(sizes.values())
    for name, count in sizes.items():
        if total > strata:
            fair = 1 + Fraction((size - strata) * (count - 1), total - strata)
            assert abs(shares[name] - fair) < 1


@hypothesis_settings(max_examples=40)
@given(case=sizes_and_sample, seed=st.text(min_size=1, max_size=20), order=st.randoms())
def test_the_same_seed_draws_the_same_whatever_the_order(
    case: tuple[dict[str, int], int], seed: str, order: random.Random
) -> None:
    sizes, size = case
    strata, shares = frame_of(sizes), allocate(*case)
    mixed = list(strata.items())
    order.shuffle(mixed)
    sample = draw(strata, shares, FRAME, seed)
    assert draw(dict(mixed), shares, FRAME, seed) == sample
    assert len({one.listing_id for one in sample}) == len(sample) == size
    assert Counter(one.stratum for one in sample) == shares
    assert all(strata[one.listing_id] == one.stratum for one in sample)


def test_the_draw_is_as_it_is_written_down() -> None:
    strata = frame_of({"a": 30, "b": 20})
    sample = draw(strata, {"a": 3, "b": 2}, FRAME, "04 11 23")
    by_hand = []
    for stratum, share in (("a", 3), ("b", 2)):
        members = [name for name, of in strata.items() if of == stratum]
        keyed = sorted(
            members,
            key=lambda name: hashlib.sha256(
                f"touchstone-sample-1\n{FRAME}\n04 11 23\n{name}".encode()
            ).hexdigest(),
        )[:share]
        by_hand += [(stratum, place, name) for place, name in enumerate(keyed, 1)]
    assert [(one.stratum, one.place, one.listing_id) for one in sample] == by_hand
    assert sample_text(FRAME, "04 11 23", sample) == (
        f"touchstone-sample-1\n{FRAME}\n04 11 23\n"
        + "".join(f"{stratum}\t{place}\t{name}\n" for stratum, place, name in by_hand)
    )


def test_every_listing_is_drawn_as_often_as_its_probability_says() -> None:
    sizes = {"a": 40, "b": 10}
    strata, shares = frame_of(sizes), allocate(sizes, 12)
    rounds = 600
    drawn = Counter(
        one.listing_id
        for number in range(rounds)
        for one in draw(strata, shares, FRAME, f"seed {number}")
    )
    for listing_id, stratum in strata.items():
        chance = shares[stratum] / sizes[stratum]
        spread = (chance * (1 - chance) / rounds) ** 0.5
        assert abs(drawn[listing_id] / rounds - chance) < 5 * spread


@pytest.mark.parametrize(
    ("sizes", "size", "said"),
    [
        ({"a": 2, "b": 2}, 5, "more than the frame has, which is 4"),
        ({"a": 2, "b": 2}, 1, "2 strata"),
    ],
)
def test_a_size_that_does_not_fit(sizes: dict[str, int], size: int, said: str) -> None:
    with pytest.raises(TouchstoneError, match=said):
        allocate(sizes, size)


seen = st.builds(
    Seen,
    st.uuids().map(str),
    st.sampled_from(["bazaar", "oscar"]),
    st.none() | st.decimals(0, 500, places=2),
    st.none() | st.sampled_from(["EUR", "USD"]),
    st.none() | st.sampled_from(["s1", "s2", "s3"]),
)


@hypothesis_settings(max_examples=40)
@given(listings=st.lists(seen, unique_by=lambda one: one.listing_id), order=st.randoms())
def test_strata_follow_from_the_frame_alone(listings: list[Seen], order: random.Random) -> None:
    strata = stratify(listings, ("marketplace", "price", "seller"))
    assert set(strata) == {one.listing_id for one in listings}
    mixed = list(listings)
    order.shuffle(mixed)
    assert stratify(mixed, ("marketplace", "price", "seller")) == strata
    for one in listings:
        shop, price, seller = strata[one.listing_id].split(" | ")
        assert shop == one.marketplace
        assert (price == "no price") == (one.amount is None or one.currency is None)
        assert (seller == "no seller") == (one.seller is None)
        assert "\t" not in strata[one.listing_id]


def test_prices_fall_into_quarters_and_sellers_into_sizes() -> None:
    listings = [
        Seen(str(UUID(int=n)), "m", Decimal(n), "EUR", "big" if n <= 10 else f"s{n}")
        for n in range(1, 21)
    ]
    prices = stratify(listings, ["price"])
    assert Counter(prices.values()) == {
        "EUR up to 5": 5, "EUR up to 10": 5, "EUR up to 15": 5, "EUR over 15": 5,
    }  # fmt: skip
    sellers = stratify(listings, ["seller"])
    assert Counter(sellers.values()) == {"seller of 10 to 99": 10, "seller of 1": 10}
    assert set(stratify(listings, []).values()) == {"all"}


def test_the_frame_text_is_as_it_is_written_down() -> None:
    text = frame_text({"b": 1, "a": "é"}, {"2": "x", "1": "y"})
    assert text == 'touchstone-frame-1\n{"a":"é","b":1}\n1\ty\n2\tx\n'


# In the database


@pytest.fixture
def market(database: Database) -> Database:
    """120 listings of two marketplaces, seen on three days; 20 were seen before the window."""
    dice = random.Random(4)
    with database.writing() as session:
        brands = [Brand(slug=name, name=name, owner="O") for name in ("velaro", "kestrix")]
        places = [Marketplace(name=n, kind="bazaar", url=f"http://{n}/") for n in ("one", "two")]
        session.add_all([*brands, *places])
        session.flush()
        runs = {}
        for brand in brands:
            for place in places:
                plan = Plan(
                    name=f"{brand.slug}-{place.name}", brand_id=brand.id, marketplaces=[place],
                    queries=[], browse=["/"], threshold=0.6, max_pages=9,
                )  # fmt: skip
                session.add(plan)
                session.flush()
                for day in (-3, 0, 1):
                    run = Run(plan_id=plan.id, state="finished")
                    session.add(run)
                    runs[brand.slug, place.name, day] = run
        sellers = [Seller(marketplace_id=places[0].id, external_id=f"s{n}") for n in range(6)]
        session.add_all(sellers)
        session.flush()
        for number in range(120):
            place, brand = places[number % 2], brands[number % 3 == 0]
            listing = Listing(
                marketplace_id=place.id, external_id=str(number), url=f"{place.url}{number}"
            )
            session.add(listing)
            session.flush()
            for day in (-3,) if number < 20 else (0, 1):
                snapshot = Snapshot(
                    listing_id=listing.id, content_sha256="0" * 64, title="t", description="",
                    amount=Decimal(dice.randint(500, 50000)) / 100, currency="EUR",
                    seller_id=dice.choice(sellers).id if number % 5 else None,
                )  # fmt: skip
                session.add(snapshot)
                session.flush()
                run_id = runs[brand.slug, place.name, day].id
                seen_at = DAY + timedelta(days=day, hours=number % 24)
                session.add(
                    Sighting(
                        run_id=run_id,
                        listing_id=listing.id,
                        snapshot_id=snapshot.id,
                        seen_at=seen_at,
                    )
                )
    return database


def frozen(database: Database, size: int = 30, **changes: object) -> SampleFrame:
    wanted = {
        "since": DAY, "until": DAY + timedelta(days=2), "by": ["marketplace", "price"], **changes,
    }  # fmt: skip
    with database.writing() as session:
        return freeze(session, size=size, actor="Ada", **wanted)  # type: ignore[arg-type]


def drawn(database: Database, frame: SampleFrame, seed: str = "04 11 23") -> set[UUID]:
    with database.writing() as session:
        sample = draw_sample(session, frame.id, seed=seed, source="a lottery", actor="Ada")
    return {UUID(one.listing_id) for one in sample}


def faults(database: Database, frame: SampleFrame) -> set[str]:
    with database.reading() as session:
        return {check.name for check in verify(session, frame.id) if not check.ok}


def test_a_frame_is_frozen_drawn_and_verified(market: Database) -> None:
    frame = frozen(market)
    assert (frame.listings, frame.size) == (100, 30)
    assert faults(market, frame) == set()
    sample = drawn(market, frame)
    assert len(sample) == 30
    assert faults(market, frame) == set()
    with market.reading() as session:
        rows = session.scalars(select(FrameListing)).all()
        assert {row.listing_id for row in rows if row.drawn is not None} == sample
        assert sum(row.probability for row in rows) == pytest.approx(30)
        # A second window would have other listings: those seen before are not in it.
        old = select(Listing.id).where(Listing.external_id.in_(map(str, range(20))))
        assert not {row.listing_id for row in rows} & set(session.scalars(old))
        text = canonical(session, frame.id)
        assert hashlib.sha256(text.encode()).hexdigest() == frame.sha256
        events = session.scalars(select(LedgerEntry.event).order_by(LedgerEntry.seq)).all()
        assert events == ["frame_frozen", "sample_drawn"]
        assert session.scalar(select(func.count()).select_from(SampleFrame)) == 1


def test_the_last_sighting_in_the_window_counts(market: Database) -> None:
    one = frozen(market, by=["price"])
    with market.writing() as session:
        # What is seen afterwards does not change the window that is over.
        listing_id = session.scalars(
            select(FrameListing.listing_id).where(FrameListing.stratum.startswith("EUR over"))
        ).first()
        snapshot = Snapshot(
            listing_id=listing_id, content_sha256="1" * 64, title="t", description="",
            amount=Decimal(1), currency="EUR",
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        plan_id = session.scalars(select(Plan.id)).first()
        run = Run(plan_id=plan_id, state="finished")
        session.add(run)
        session.flush()
        session.add(
            Sighting(
                run_id=run.id, listing_id=listing_id, snapshot_id=snapshot.id,
                seen_at=DAY + timedelta(days=3),
            )
        )  # fmt: skip
    assert frozen(market, by=["price"]).sha256 == one.sha256
    later = frozen(market, by=["price"], until=DAY + timedelta(days=4))
    with market.reading() as session:
        row = session.get_one(FrameListing, (later.id, listing_id))
    assert row.stratum.startswith("EUR up to"), "it costs next to nothing now"


def test_a_frame_of_one_brand_and_marketplace(market: Database) -> None:
    frame = frozen(market, size=5, brand="kestrix", marketplaces=["one"], by=[])
    with market.reading() as session:
        wanted = {str(n) for n in range(20, 120) if n % 3 == 0 and n % 2 == 0}
        found = session.scalars(
            select(Listing.external_id)
            .join(FrameListing, FrameListing.listing_id == Listing.id)
            .where(FrameListing.frame_id == frame.id)
        )
        assert set(found) == wanted


def test_a_frame_is_drawn_from_once(market: Database) -> None:
    frame = frozen(market)
    first = drawn(market, frame)
    with pytest.raises(TouchstoneError, match="can choose what comes out"):
        drawn(market, frame, seed="a better one")
    again = frozen(market)
    assert again.sha256 == frame.sha256
    assert drawn(market, again) == first
    assert drawn(market, frozen(market), seed="another") != first


def test_what_cannot_be_frozen(market: Database) -> None:
    later = DAY + timedelta(days=3)
    cases: list[tuple[dict[str, object], str]] = [
        ({"size": 101}, "more than the frame has"),
        ({"size": 2}, "strata"),
        ({"by": ["colour"]}, "'colour' makes no strata"),
        ({"brand": "nobody"}, "not registered"),
        ({"marketplaces": ["three"]}, "no marketplace 'three'"),
        ({"since": later, "until": DAY + timedelta(days=4)}, "no listing was seen"),
        ({"since": DAY, "until": DAY}, "ends before it begins"),
        ({"until": datetime(2999, 1, 1, tzinfo=UTC)}, "is not over"),
    ]
    for changes, said in cases:
        with pytest.raises(TouchstoneError, match=said):
            frozen(market, **changes)  # type: ignore[arg-type]
    with market.reading() as session:
        assert session.scalar(select(func.count()).select_from(SampleFrame)) == 0


def test_seeds_that_are_none(market: Database) -> None:
    frame = frozen(market)
    for seed in ("", "  ", "two\nlines", "x" * 501):
        with pytest.raises(TouchstoneError, match="the seed must be one printable line"):
            drawn(market, frame, seed=seed)
    assert len(drawn(market, frame, seed="x" * 500)) == 30


def test_every_change_of_a_frame_is_found(market: Database) -> None:
    frame = frozen(market)
    sample = drawn(market, frame)
    of_frame = FrameListing.frame_id == frame.id
    with market.reading() as session:
        inside = session.scalars(select(FrameListing).where(FrameListing.drawn == 1)).first()
        outside = session.scalars(
            select(FrameListing).where(of_frame, FrameListing.drawn.is_(None))
        ).first()
        foreign = session.scalars(select(Listing.id).where(Listing.external_id == "3")).one()
    assert inside is not None
    assert outside is not None
    assert inside.listing_id in sample
    this, other = (FrameListing.listing_id == row.listing_id for row in (inside, outside))
    changes = {
        "a listing taken out": (
            delete(FrameListing).where(other), {"frame", "strata", "probabilities"},
        ),
        "a listing put in": (
            insert(FrameListing).values(
                frame_id=frame.id, listing_id=foreign, stratum=inside.stratum,
                probability=inside.probability,
            ),
            {"frame", "strata", "probabilities"},
        ),
        "another stratum": (update(FrameListing).where(this).values(stratum="other"), {"frame"}),
        "another probability": (
            update(FrameListing).where(other).values(probability=0.5), {"probabilities"},
        ),
        "one more drawn": (update(FrameListing).where(other).values(drawn=9), {"draw"}),
        "one drawn no more": (update(FrameListing).where(this).values(drawn=None), {"draw"}),
        "another seed": (update(SampleFrame).values(seed="x"), {"draw", "ledger: drawn"}),
        "another hash": (update(SampleFrame).values(sha256="0" * 64), {"frame", "ledger: frozen"}),
        "another size": (update(SampleFrame).values(size=31), {"strata"}),
        "other terms": (
            update(SampleFrame).values(terms={**frame.terms, "brand": "x"}), {"frame"},
        ),
    }  # fmt: skip
    for what, (change, expected) in changes.items():
        with market.writing() as session:
            session.execute(change)
            found = {check.name for check in verify(session, frame.id) if not check.ok}
            session.rollback()
        assert expected <= found, what
    assert faults(market, frame) == set()


def test_a_frame_that_was_changed_is_not_drawn_from(market: Database) -> None:
    frame = frozen(market)
    with market.writing() as session:
        row = session.scalars(select(FrameListing)).first()
        session.delete(row)
    with pytest.raises(TouchstoneError, match="not what was frozen"):
        drawn(market, frame)


def test_a_frame_that_there_is_not(market: Database) -> None:
    with pytest.raises(TouchstoneError, match="there is no frame"), market.writing() as session:
        draw_sample(session, uuid7(), seed="1", source="s", actor="Ada")
