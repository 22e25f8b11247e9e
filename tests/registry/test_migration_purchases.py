"""Migration 0009 on a database in use: old purchases find their new states, up and down."""

from __future__ import annotations

from sqlalchemy import text
from uuid_utils.compat import uuid7

from registry.database import Database
from registry.models import Purchase
from tests.registry.test_migrations import in_use, migrate

#: An old purchase's state, whether it was clicked, its order number → its state now.
OLD = {
    ("proposed", False, None): "proposed",
    ("rejected", False, None): "rejected",
    ("approved", False, None): "stopped",
    ("ordering", False, None): "stopped",
    ("ordering", True, None): "outcome_unclear",
    ("rehearsed", False, None): "rehearsed",
    ("stopped", False, None): "stopped",
    ("outcome_unclear", True, None): "outcome_unclear",
    ("ordered", True, "B-1"): "ordered",
    ("settled", True, "B-2"): "ordered",
    ("settled", True, None): "failed",
}


def test_old_purchases_go_on(database_url: str) -> None:
    database = Database(database_url)
    migrate(database, "0002")
    in_use(database)
    migrate(database, "0008")
    plain = database.backend == "sqlite"
    wanted: dict[str, str] = {}
    with database.engine.begin() as connection:
        for (state, clicked, number), after in OLD.items():
            made, assessment = uuid7(), uuid7()
            wanted[str(made)] = after
            values = {
                "id": made.hex if plain else str(made),
                "a": assessment.hex if plain else str(assessment),
                "state": state, "number": number,
                "clicked": "2026-11-01 00:00:00+00:00" if clicked else None,
                "now": "2026-11-01 00:00:00+00:00",
            }  # fmt: skip
            connection.execute(
                text(
                    "INSERT INTO assessments (id, snapshot_id, plan_id, brand_id, score, threshold,"
                    " flagged, outcome, result, inputs, created_at) SELECT :a, snapshot_id,"
                    " plan_id, brand_id, score, threshold, flagged, outcome, result, inputs,"
                    " created_at"
                    " FROM assessments ORDER BY id LIMIT 1"
                ),
                values,
            )
            connection.execute(
                text(
                    "INSERT INTO purchases (id, listing_id, assessment_id, state, limit_amount,"
                    " limit_currency, requested_by, clicked_at, order_number, created_at)"
                    " SELECT :id, id, :a, :state, '40.0000', 'EUR', 'touchstone', :clicked,"
                    " :number, :now FROM listings LIMIT 1"
                ),
                values,
            )
            connection.execute(
                text(
                    "INSERT INTO purchase_events (id, purchase_id, at, actor, state)"
                    " VALUES (:id, :id, :now, 'touchstone', :state)"
                ),
                values,
            )
    database.migrate()
    with database.reading() as session:
        rows = session.query(Purchase).all()
        assert {str(row.id): row.state for row in rows} == wanted
        assert {row.arm for row in rows} == {"suspicion"}
        assert all(row.snapshot_id == row.assessment.snapshot_id for row in rows)
        assert all(row.brand_id == row.assessment.brand_id for row in rows)
        assert all(len(row.events) == 1 for row in rows)
    migrate(database, "0008", down=True)
    with database.engine.connect() as connection:
        states = connection.execute(text("SELECT DISTINCT state FROM purchases")).scalars().all()
        assert "failed" not in states
        assert connection.execute(text("SELECT count(*) FROM purchase_events")).scalar() == len(OLD)
    database.migrate()
    with database.reading() as session:
        assert session.query(Purchase).count() == len(OLD)
    database.close()
