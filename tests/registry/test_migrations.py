"""Migrations on a database that is in use: what is there stays, up and down."""

from __future__ import annotations

from typing import Any

from alembic import command
from sqlalchemy import text
from uuid_utils.compat import uuid7

from registry.database import Database, _alembic
from registry.models import Assessment, Marketplace, Plan


def migrate(database: Database, revision: str, *, down: bool = False) -> None:
    with database.engine.connect() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
        connection.commit()


def in_use(database: Database) -> tuple[str, str]:
    """Rows as version 0002 wrote them: a flagged assessment and one that is not; their ids."""
    ids = {name: uuid7() for name in ("b", "m", "p", "l", "s", "mark", "product", "ref", "f", "o")}
    plain = database.backend == "sqlite"
    values: dict[str, Any] = {k: v.hex if plain else str(v) for k, v in ids.items()}
    values |= {"sha": "a" * 64, "now": "2026-11-01 00:00:00+00:00", "yes": True, "no": False}
    rows = (
        "INSERT INTO brands (id, slug, name, owner, keywords, created_at)"
        " VALUES (:b, 'v', 'V', 'O', '[]', :now)",
        "INSERT INTO pictures (sha256, blob, media_type, fingerprint, created_at)"
        " VALUES (:sha, 'x', 'image/png', '{}', :now)",
        "INSERT INTO marks (id, brand_id, text, office, number, kind, nice_classes)"
        " VALUES (:mark, :b, 'V', 'EUIPO', '1', 'word', '[18]')",
        "INSERT INTO products (id, brand_id, sku, name, keywords)"
        " VALUES (:product, :b, 'T', 'Tote', '[]')",
        'INSERT INTO "references" (id, product_id, sha256, position)'
        " VALUES (:ref, :product, :sha, 0)",
        "INSERT INTO marketplaces (id, name, kind, url, ordering, created_at)"
        " VALUES (:m, 'm', 'bazaar', 'https://m.example/', :no, :now)",
        "INSERT INTO plans (id, name, brand_id, marketplace_id, queries, browse, threshold,"
        " max_pages, created_at) VALUES (:p, 'p', :b, :m, '[]', '[]', 0.6, 9, :now)",
        "INSERT INTO listings (id, marketplace_id, external_id, url, first_seen_at, last_seen_at)"
        " VALUES (:l, :m, '1', 'https://m.example/1', :now, :now)",
        "INSERT INTO snapshots (id, listing_id, seen_at, content_sha256, title, description,"
        " attributes) VALUES (:s, :l, :now, :sha, 't', '', '{}')",
        *(
            "INSERT INTO assessments (id, snapshot_id, plan_id, brand_id, score, threshold,"
            f" flagged, result, inputs, created_at) VALUES (:{name}, :s, :p, :b, {score}, 0.6,"
            f" :{flagged}, '{{}}', '{{}}', :now)"
            for name, score, flagged in (("f", 0.9, "yes"), ("o", 0.1, "no"))
        ),
    )
    with database.engine.begin() as connection:
        for row in rows:
            connection.execute(text(row), values)
    return str(ids["f"]), str(ids["o"])


def test_a_database_in_use_goes_up_and_down_and_up(database_url: str) -> None:
    database = Database(database_url)
    migrate(database, "0002")
    flagged, other = in_use(database)
    migrate(database, "0003")
    with database.reading() as session:
        said = {str(a.id): (a.outcome, a.kind, a.score) for a in session.query(Assessment)}
        brand = session.query(Assessment).first().brand  # type: ignore[union-attr]
        assert brand.nicknames == brand.transliterations == brand.product_words == []
    assert said == {flagged: ("flag", "counterfeit", 0.9), other: ("pass", None, 0.1)}
    migrate(database, "0002", down=True)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM assessments")).scalar() == 2
        assert connection.execute(text('SELECT count(*) FROM "references"')).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM marks")).scalar() == 1
    database.migrate()
    assert database.revision() == database.newest_revision()
    with database.reading() as session:
        assert session.query(Assessment).count() == 2
    database.close()


def test_where_ordering_was_on_it_is_automatic(database_url: str) -> None:
    database = Database(database_url)
    migrate(database, "0002")
    in_use(database)
    migrate(database, "0009")
    with database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO marketplaces (id, name, kind, url, ordering, created_at)"
                " SELECT :id, 'on', kind, url, :yes, created_at FROM marketplaces"
            ),
            {"id": uuid7().hex, "yes": True},
        )
    for _ in range(2):
        database.migrate()
        with database.reading() as session:
            rows = {row.name: (row.mode, row.mode_by is None) for row in session.query(Marketplace)}
            assert rows == {"m": ("rehearse", True), "on": ("automatic", False)}
        migrate(database, "0009", down=True)
        with database.engine.connect() as connection:
            on = text("SELECT name FROM marketplaces WHERE ordering")
            assert connection.execute(on).scalars().all() == ["on"]
    database.close()


def test_a_plan_keeps_its_marketplace(database_url: str) -> None:
    database = Database(database_url)
    migrate(database, "0002")
    in_use(database)
    for _ in range(2):
        database.migrate()
        with database.reading() as session:
            (plan,) = session.query(Plan)
            assert [(m.name, m.url) for m in plan.marketplaces] == [("m", "https://m.example/")]
            assert plan.place(plan.marketplaces[0].id).position == 0
        migrate(database, "0004", down=True)
        with database.engine.connect() as connection:
            kept = connection.execute(
                text("SELECT m.name FROM plans p JOIN marketplaces m ON m.id = p.marketplace_id")
            )
            assert kept.scalars().all() == ["m"]
    database.close()
