"""order lists, mail, deadlines

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-26 00:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.models.base import UtcDateTime

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

APPEND_ONLY = ("purchase_looks", "purchase_letters", "purchase_messages")


def upgrade() -> None:
    op.add_column("purchases", sa.Column("reviewed_at", UtcDateTime(), nullable=True))
    _seen()
    _deadlines()
    _guards()


def _seen() -> None:
    op.create_table(
        "purchase_mailboxes",
        sa.Column("persona_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["persona_id"], ["personas.id"], name=op.f("fk_purchase_mailboxes_persona_id")
        ),
        sa.ForeignKeyConstraint(
            ["secret"], ["secrets.name"], name=op.f("fk_purchase_mailboxes_secret")
        ),
        sa.PrimaryKeyConstraint("persona_id", name=op.f("pk_purchase_mailboxes")),
    )
    op.create_table(
        "purchase_looks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=True),
        sa.Column("orders", JSON, nullable=False),
        sa.Column("letters", JSON, nullable=False),
        sa.Column("proposal", sa.String(length=16), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("why IN ('attempt', 'reconcile')", name=op.f("ck_purchase_looks_why")),
        sa.CheckConstraint(
            "proposal IN ('ordered', 'nothing', 'unclear', 'unreadable')",
            name=op.f("ck_purchase_looks_proposal"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_purchase_looks_purchase_id")
        ),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_purchase_looks_capture_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_looks")),
    )
    op.create_table(
        "purchase_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("exhibit_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("found", JSON, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_purchase_letters_purchase_id")
        ),
        sa.ForeignKeyConstraint(
            ["exhibit_id"], ["exhibits.id"], name=op.f("fk_purchase_letters_exhibit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_letters")),
        sa.UniqueConstraint(
            "purchase_id", "sha256", name=op.f("uq_purchase_letters_purchase_id_sha256")
        ),
    )
    op.create_table(
        "purchase_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("exhibit_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "direction IN ('to_seller', 'from_seller', 'delivery')",
            name=op.f("ck_purchase_messages_direction"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_purchase_messages_purchase_id")
        ),
        sa.ForeignKeyConstraint(
            ["exhibit_id"], ["exhibits.id"], name=op.f("fk_purchase_messages_exhibit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_messages")),
    )
    for table in APPEND_ONLY:
        op.create_index(op.f(f"ix_{table}_purchase_id"), table, ["purchase_id"])


def _deadlines() -> None:
    op.create_table(
        "overdue_purchases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_overdue_purchases_purchase_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["purchase_events.id"], name=op.f("fk_overdue_purchases_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overdue_purchases")),
        sa.UniqueConstraint("event_id", name=op.f("uq_overdue_purchases_event_id")),
    )
    op.create_index(
        "ix_overdue_purchases_purchase_id_closed_at",
        "overdue_purchases",
        ["purchase_id", "closed_at"],
    )
    op.create_table(
        "deadline_checks",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_deadline_checks")),
    )
    op.create_table(
        "deadline_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 1000", name=op.f("ck_deadline_rules_days")),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_deadline_rules_marketplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_rules")),
    )


def _guards() -> None:
    """The database refuses to rewrite what was seen and said."""
    for table in APPEND_ONLY:
        if op.get_bind().dialect.name == "sqlite":
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
            continue
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
    for table in (
        "deadline_rules", "deadline_checks", "overdue_purchases", "purchase_messages",
        "purchase_letters", "purchase_looks", "purchase_mailboxes",
    ):  # fmt: skip
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_refuse()")
    op.drop_column("purchases", "reviewed_at")
