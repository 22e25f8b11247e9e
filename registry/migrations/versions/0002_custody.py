"""cases, exhibits, the custody ledger, checkpoints, time stamps

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-25 13:50:00
"""

import sqlalchemy as sa
from alembic import op

from registry.models.base import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Nobody changes or deletes what stands here, by whatever way they came to the database.
APPEND_ONLY = ("ledger_entries", "checkpoints")


def upgrade() -> None:
    with op.batch_alter_table("captures") as captures:
        captures.add_column(sa.Column("archive_sha256", sa.String(length=64), nullable=True))
        captures.add_column(sa.Column("key_id", sa.String(length=64), nullable=True))
        captures.add_column(
            sa.Column("exchanges", sa.Integer(), nullable=False, server_default="0")
        )
        captures.add_column(
            sa.Column("incomplete", sa.Integer(), nullable=False, server_default="0")
        )
        captures.add_column(sa.Column("deleted_at", UtcDateTime(), nullable=True))
        captures.alter_column(
            "size", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False
        )
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("size", name=op.f("uq_checkpoints_size")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_entries")),
    )
    op.create_index(op.f("ix_ledger_entries_subject"), "ledger_entries", ["subject"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=True),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.Column("retain_until", sa.Date(), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_cases_brand_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("reference", name=op.f("uq_cases_reference")),
    )
    op.create_index(op.f("ix_cases_brand_id"), "cases", ["brand_id"], unique=False)
    op.create_table(
        "exhibits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=True),
        sa.Column("purchase_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("blob", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_exhibits_capture_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_exhibits_case_id")),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_exhibits_purchase_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exhibits")),
        sa.UniqueConstraint("case_id", "capture_id", name=op.f("uq_exhibits_case_id_capture_id")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_exhibits_case_id_number")),
        sa.UniqueConstraint("case_id", "purchase_id", name=op.f("uq_exhibits_case_id_purchase_id")),
    )
    op.create_index(op.f("ix_exhibits_capture_id"), "exhibits", ["capture_id"], unique=False)
    op.create_index(op.f("ix_exhibits_case_id"), "exhibits", ["case_id"], unique=False)
    op.create_index(op.f("ix_exhibits_purchase_id"), "exhibits", ["purchase_id"], unique=False)
    op.create_table(
        "stamps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("capture_id", sa.Uuid(), nullable=True),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=True),
        sa.Column("about", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("stamped_at", UtcDateTime(), nullable=True),
        sa.Column("tried_at", UtcDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.id"], name=op.f("fk_stamps_capture_id")),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_stamps_checkpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stamps")),
        sa.UniqueConstraint("digest", "authority", name=op.f("uq_stamps_digest_authority")),
    )
    op.create_index(op.f("ix_stamps_capture_id"), "stamps", ["capture_id"], unique=False)
    op.create_index(op.f("ix_stamps_checkpoint_id"), "stamps", ["checkpoint_id"], unique=False)
    op.create_index(op.f("ix_stamps_state"), "stamps", ["state"], unique=False)

    for table in APPEND_ONLY:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        # REPLACE deletes without asking the trigger above, unless recursive triggers are on.
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {_KEYS[table]}) BEGIN "
            f"SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
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


_KEYS = {
    "ledger_entries": "seq = NEW.seq",
    "checkpoints": "id = NEW.id OR size = NEW.size",
}


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.drop_index(op.f("ix_stamps_state"), table_name="stamps")
    op.drop_index(op.f("ix_stamps_checkpoint_id"), table_name="stamps")
    op.drop_index(op.f("ix_stamps_capture_id"), table_name="stamps")
    op.drop_table("stamps")
    op.drop_index(op.f("ix_exhibits_purchase_id"), table_name="exhibits")
    op.drop_index(op.f("ix_exhibits_case_id"), table_name="exhibits")
    op.drop_index(op.f("ix_exhibits_capture_id"), table_name="exhibits")
    op.drop_table("exhibits")
    op.drop_index(op.f("ix_cases_brand_id"), table_name="cases")
    op.drop_table("cases")
    op.drop_index(op.f("ix_ledger_entries_subject"), table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_table("checkpoints")
    if dialect == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_refuse()")
    with op.batch_alter_table("captures") as captures:
        captures.alter_column("size", existing_type=sa.BigInteger(), type_=sa.Integer())
        for name in ("deleted_at", "incomplete", "exchanges", "key_id", "archive_sha256"):
            captures.drop_column(name)
