"""purchases from proposal to verdict, money ledger, personas

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-25 20:45:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.models.base import Amount, UtcDateTime

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: What may follow what, as this version of the code has it (`purchases.states.WAYS`).
WAYS = (
    ("proposed", "approved"), ("proposed", "rejected"), ("approved", "assigned"),
    ("approved", "rejected"), ("assigned", "ordering"), ("assigned", "stopped"),
    ("assigned", "rejected"), ("ordering", "rehearsed"), ("ordering", "stopped"),
    ("ordering", "ordered"), ("ordering", "outcome_unclear"), ("outcome_unclear", "ordered"),
    ("outcome_unclear", "failed"), ("rehearsed", "approved"), ("rehearsed", "rejected"),
    ("stopped", "approved"), ("stopped", "rejected"), ("ordered", "paid"), ("paid", "shipped"),
    ("shipped", "received_sealed"), ("received_sealed", "opened"),
    ("opened", "sent_to_examiner"), ("sent_to_examiner", "examined"), ("examined", "verdict"),
    ("ordered", "verdict"), ("paid", "verdict"), ("shipped", "verdict"), ("verdict", "closed"),
)  # fmt: skip
STATES = tuple(dict.fromkeys(state for way in WAYS for state in way))
OUTCOMES = (
    "genuine", "counterfeit", "other_infringement", "inconclusive", "not_delivered", "refunded",
)  # fmt: skip

APPEND_ONLY = ("purchase_events", "money_transactions", "money_postings", "examinations")

ARMS = """(arm = 'suspicion' AND frame_id IS NULL AND place IS NULL AND probability IS NULL) OR
 (arm = 'random' AND frame_id IS NOT NULL AND place IS NOT NULL AND probability IS NOT NULL)"""
APART = """(requested_by <> approved_by OR approved_by IS NULL) AND
 (buyer IS NULL OR (buyer <> requested_by AND buyer <> approved_by)) AND
 (examiner IS NULL OR (examiner <> requested_by AND examiner <> approved_by
 AND examiner <> buyer)) AND
 (second_examiner IS NULL OR (second_examiner <> requested_by AND second_examiner <> approved_by
 AND second_examiner <> buyer AND second_examiner <> examiner))"""


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def upgrade() -> None:
    _people()
    _purchases()
    _around_purchases()
    _money()
    _guards()


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("roles", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("code_sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_people_code_sha256")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "personas",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_personas_person_id")),
        sa.ForeignKeyConstraint(["secret"], ["secrets.name"], name=op.f("fk_personas_secret")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personas")),
        sa.UniqueConstraint("label", name=op.f("uq_personas_label")),
    )
    op.create_index(op.f("ix_personas_person_id"), "personas", ["person_id"], unique=False)


def _purchases() -> None:
    with op.batch_alter_table("purchases") as purchases:
        for added in (
            sa.Column("snapshot_id", sa.Uuid(), nullable=True),
            sa.Column("brand_id", sa.Uuid(), nullable=True),
            sa.Column(
                "arm", sa.String(length=16), nullable=False, server_default="suspicion"
            ),
            sa.Column("frame_id", sa.Uuid(), nullable=True),
            sa.Column("place", sa.Integer(), nullable=True),
            sa.Column("probability", sa.Double(), nullable=True),
            sa.Column("case_id", sa.Uuid(), nullable=True),
            sa.Column("buyer", sa.Text(), nullable=True),
            sa.Column("persona_id", sa.Uuid(), nullable=True),
            sa.Column("how", sa.String(length=8), nullable=True),
            sa.Column("assigned_at", UtcDateTime(), nullable=True),
            sa.Column("examiner", sa.Text(), nullable=True),
            sa.Column("second_examiner", sa.Text(), nullable=True),
            sa.Column("outcome", sa.String(length=24), nullable=True),
        ):  # fmt: skip
            purchases.add_column(added)
    for name in ("snapshot_id", "brand_id"):
        op.execute(
            f"UPDATE purchases SET {name} = (SELECT {name} FROM assessments"
            " WHERE assessments.id = purchases.assessment_id)"
        )
    _old_states()
    with op.batch_alter_table("purchases") as purchases:
        purchases.alter_column("snapshot_id", existing_type=sa.Uuid(), nullable=False)
        purchases.alter_column("brand_id", existing_type=sa.Uuid(), nullable=False)
        purchases.alter_column("arm", existing_type=sa.String(length=16), server_default=None)
        purchases.drop_constraint(op.f("uq_purchases_assessment_id"), type_="unique")
        purchases.create_unique_constraint(
            op.f("uq_purchases_frame_id_listing_id"), ["frame_id", "listing_id"]
        )
        for column, table in (
            ("snapshot_id", "snapshots"), ("brand_id", "brands"), ("case_id", "cases"),
            ("persona_id", "personas"),
        ):  # fmt: skip
            purchases.create_foreign_key(op.f(f"fk_purchases_{column}"), table, [column], ["id"])
        purchases.create_foreign_key(
            op.f("fk_purchases_frame_id_listing_id"),
            "frame_listings",
            ["frame_id", "listing_id"],
            ["frame_id", "listing_id"],
        )
        purchases.create_check_constraint(op.f("ck_purchases_arm"), ARMS)
        purchases.create_check_constraint(op.f("ck_purchases_apart"), APART)
        purchases.create_check_constraint(
            op.f("ck_purchases_state"), f"state IN ({_quoted(STATES)})"
        )
        purchases.create_check_constraint(
            op.f("ck_purchases_outcome"), f"outcome IN ({_quoted(OUTCOMES)})"
        )
    for column in ("brand_id", "case_id", "persona_id"):
        op.create_index(op.f(f"ix_purchases_{column}"), "purchases", [column], unique=False)
    op.create_index(
        "ix_purchases_suspicion",
        "purchases",
        ["assessment_id"],
        unique=True,
        sqlite_where=sa.text("arm = 'suspicion'"),
        postgresql_where=sa.text("arm = 'suspicion'"),
    )
    with op.batch_alter_table("purchase_events") as events:
        events.add_column(sa.Column("details", JSON, nullable=False, server_default="{}"))


def _old_states() -> None:
    """What was settled is ordered or failed; what was on its way is approved anew."""
    again = "approve it again: a buyer is assigned since the update"
    for change in (
        "state = 'ordered' WHERE state = 'settled' AND order_number IS NOT NULL",
        "state = 'failed' WHERE state = 'settled'",
        f"state = 'stopped', note = '{again}' WHERE state = 'approved' OR"
        " (state = 'ordering' AND clicked_at IS NULL)",
        "state = 'outcome_unclear', note = 'it was being ordered during an update'"
        " WHERE state = 'ordering'",
    ):
        op.execute(f"UPDATE purchases SET {change}")


def _around_purchases() -> None:
    op.create_table(
        "purchase_files",
        sa.Column("exhibit_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sent_sha256", sa.String(length=64), nullable=True),
        sa.Column("taken", JSON, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exhibit_id"], ["exhibits.id"], name=op.f("fk_purchase_files_exhibit_id")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_purchase_files_purchase_id")
        ),
        sa.PrimaryKeyConstraint("exhibit_id", name=op.f("pk_purchase_files")),
    )
    op.create_index(
        op.f("ix_purchase_files_purchase_id"), "purchase_files", ["purchase_id"], unique=False
    )
    op.create_table(
        "features",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('genuine', 'tell')", name=op.f("ck_features_kind")),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_features_brand_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_features_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_features")),
    )
    op.create_index(op.f("ix_features_brand_id"), "features", ["brand_id"], unique=False)
    op.create_table(
        "examination_rules",
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("examiners", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.CheckConstraint("examiners IN (1, 2)", name=op.f("ck_examination_rules_examiners")),
        sa.ForeignKeyConstraint(
            ["brand_id"], ["brands.id"], name=op.f("fk_examination_rules_brand_id")
        ),
        sa.PrimaryKeyConstraint("brand_id", name=op.f("pk_examination_rules")),
    )
    op.create_table(
        "examinations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("examiner", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("form", JSON, nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_examinations_purchase_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinations")),
        sa.UniqueConstraint(
            "purchase_id", "examiner", name=op.f("uq_examinations_purchase_id_examiner")
        ),
    )
    op.create_index(
        op.f("ix_examinations_purchase_id"), "examinations", ["purchase_id"], unique=False
    )


def _money() -> None:
    op.create_table(
        "money_transactions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("rates_day", sa.Date(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('reserve', 'release', 'settle', 'refund')",
            name=op.f("ck_money_transactions_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_money_transactions_purchase_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_transactions")),
    )
    for column in ("purchase_id", "month"):
        op.create_index(
            op.f(f"ix_money_transactions_{column}"), "money_transactions", [column], unique=False
        )
    op.create_table(
        "money_postings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("per_euro", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "account IN ('budget', 'reserved', 'spent')", name=op.f("ck_money_postings_account")
        ),
        sa.CheckConstraint("units <> 0", name=op.f("ck_money_postings_units")),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["money_transactions.id"],
            name=op.f("fk_money_postings_transaction_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_postings")),
    )
    op.create_index(
        op.f("ix_money_postings_transaction_id"), "money_postings", ["transaction_id"], unique=False
    )
    op.create_table(
        "money_limits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("marketplace_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("only_currency", sa.String(length=3), nullable=True),
        sa.Column("amount", Amount(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "period IN ('purchase', 'month', 'ever')", name=op.f("ck_money_limits_period")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_money_limits_brand_id")),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_money_limits_marketplace_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_money_limits_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_limits")),
    )


def _guards() -> None:
    """The database itself refuses to rewrite what happened, and ways that there are not."""
    ways = ", ".join(f"('{before}', '{after}')" for before, after in WAYS)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER purchases_ways BEFORE UPDATE OF state ON purchases "
            f"WHEN OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (VALUES {ways}) "
            "BEGIN SELECT RAISE(ABORT, 'a purchase has no such way'); END"
        )
        for table in APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                    f"SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
            op.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION purchases_way() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.state <> NEW.state AND (OLD.state::text, NEW.state::text) NOT IN "
        f"(VALUES {ways}) THEN RAISE EXCEPTION 'a purchase has no such way'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER purchases_ways BEFORE UPDATE ON purchases "
        "FOR EACH ROW EXECUTE FUNCTION purchases_way()"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        )


def downgrade() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    if on_postgres:
        op.execute("DROP TRIGGER purchases_ways ON purchases")
        op.execute("DROP FUNCTION purchases_way()")
        for name in ("no_change", "no_truncate"):
            op.execute(f"DROP TRIGGER purchase_events_{name} ON purchase_events")
    else:
        op.execute("DROP TRIGGER purchases_ways")
        for name in ("no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER purchase_events_{name}")
    for table in (
        "money_limits", "money_postings", "money_transactions", "examinations", "features",
        "examination_rules", "purchase_files",
    ):  # fmt: skip
        op.drop_table(table)
    if on_postgres:
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_refuse()")
    with op.batch_alter_table("purchase_events") as events:
        events.drop_column("details")
    op.drop_index("ix_purchases_suspicion", table_name="purchases")
    for column in ("persona_id", "case_id", "brand_id"):
        op.drop_index(op.f(f"ix_purchases_{column}"), table_name="purchases")
    with op.batch_alter_table("purchases") as purchases:
        for name in ("outcome", "state", "apart", "arm"):
            purchases.drop_constraint(op.f(f"ck_purchases_{name}"), type_="check")
        for column in ("frame_id_listing_id", "persona_id", "case_id", "brand_id", "snapshot_id"):
            purchases.drop_constraint(op.f(f"fk_purchases_{column}"), type_="foreignkey")
        purchases.drop_constraint(op.f("uq_purchases_frame_id_listing_id"), type_="unique")
    # Older versions know nothing of what comes after the order, nor of assigned buyers.
    for change in (
        "state = 'settled', order_number = NULL WHERE state = 'failed'",
        "state = 'stopped' WHERE state = 'assigned'",
        "state = 'ordered' WHERE state NOT IN ('proposed', 'rejected', 'approved', 'ordering',"
        " 'rehearsed', 'ordered', 'outcome_unclear', 'stopped', 'settled')",
    ):
        op.execute(f"UPDATE purchases SET {change}")
    with op.batch_alter_table("purchases") as purchases:
        for name in (
            "outcome", "second_examiner", "examiner", "assigned_at", "how", "persona_id", "buyer",
            "case_id", "probability", "place", "frame_id", "arm", "brand_id", "snapshot_id",
        ):  # fmt: skip
            purchases.drop_column(name)
        purchases.create_unique_constraint(op.f("uq_purchases_assessment_id"), ["assessment_id"])
    op.drop_index(op.f("ix_personas_person_id"), table_name="personas")
    for table in ("personas", "secrets", "people"):
        op.drop_table(table)
