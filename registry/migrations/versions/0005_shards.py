"""plans over many marketplaces, shards of runs, the frontier, revisits

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-25 20:45:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.models.base import UtcDateTime

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _places()
    _revisits()
    _shards()


def _places() -> None:
    op.create_table(
        "plan_marketplaces",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("queries", JSON, nullable=True),
        sa.Column("browse", JSON, nullable=True),
        sa.Column("depth", sa.Integer(), nullable=True),
        sa.Column("interface", sa.String(length=8), nullable=True),
        sa.Column("languages", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name=op.f("fk_plan_marketplaces_plan_id")
        ),
        sa.ForeignKeyConstraint(
            ["marketplace_id"],
            ["marketplaces.id"],
            name=op.f("fk_plan_marketplaces_marketplace_id"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "marketplace_id", name=op.f("pk_plan_marketplaces")),
    )
    op.create_index(
        op.f("ix_plan_marketplaces_marketplace_id"), "plan_marketplaces", ["marketplace_id"]
    )
    op.execute(
        "INSERT INTO plan_marketplaces (plan_id, marketplace_id, position)"
        " SELECT id, marketplace_id, 0 FROM plans"
    )
    op.drop_index(op.f("ix_plans_marketplace_id"), table_name="plans")
    with op.batch_alter_table("plans") as plans:
        plans.drop_constraint(op.f("fk_plans_marketplace_id"), type_="foreignkey")
        plans.drop_column("marketplace_id")


def _revisits() -> None:
    with op.batch_alter_table("listings") as listings:
        listings.add_column(sa.Column("etag", sa.Text(), nullable=True))
        listings.add_column(sa.Column("last_modified", sa.Text(), nullable=True))
        listings.add_column(sa.Column("page_sha256", sa.String(length=64), nullable=True))
        listings.add_column(sa.Column("visited_at", UtcDateTime(), nullable=True))
        listings.add_column(sa.Column("next_visit_at", UtcDateTime(), nullable=True))
        for name in ("revisits", "changes", "misses"):
            listings.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        listings.add_column(
            sa.Column("watched_seconds", sa.Double(), nullable=False, server_default="0")
        )
        listings.add_column(sa.Column("gone_at", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_listings_marketplace_id_next_visit_at", "listings", ["marketplace_id", "next_visit_at"]
    )
    with op.batch_alter_table("sellers") as sellers:
        sellers.add_column(sa.Column("visited_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("snapshot_pictures") as pictures:
        pictures.add_column(sa.Column("etag", sa.Text(), nullable=True))
        pictures.add_column(sa.Column("last_modified", sa.Text(), nullable=True))
    op.create_table(
        "absences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=False),
        sa.Column("back_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_absences_listing_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_absences_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(op.f("ix_absences_listing_id"), "absences", ["listing_id"])


def _shards() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(
            sa.Column("everything", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "shards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=False),
        sa.Column("queries", JSON, nullable=False),
        sa.Column("browse", JSON, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("browser_seconds", sa.Double(), nullable=False),
        sa.Column("stats", JSON, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_shards_run_id")),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_shards_marketplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shards")),
    )
    op.create_index("ix_shards_run_id_state", "shards", ["run_id", "state"])
    op.create_index(op.f("ix_shards_marketplace_id"), "shards", ["marketplace_id"])
    op.create_table(
        "visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("shard_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_visits_run_id")),
        sa.ForeignKeyConstraint(["shard_id"], ["shards.id"], name=op.f("fk_visits_shard_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_visits_run_id_key")),
    )
    op.create_index(
        "ix_visits_shard_id_state_rank_id", "visits", ["shard_id", "state", "rank", "id"]
    )


def downgrade() -> None:
    op.drop_table("visits")
    op.drop_table("shards")
    op.drop_table("absences")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("everything")
    with op.batch_alter_table("snapshot_pictures") as pictures:
        pictures.drop_column("last_modified")
        pictures.drop_column("etag")
    with op.batch_alter_table("sellers") as sellers:
        sellers.drop_column("visited_at")
    op.drop_index("ix_listings_marketplace_id_next_visit_at", table_name="listings")
    with op.batch_alter_table("listings") as listings:
        for name in (
            "gone_at", "watched_seconds", "misses", "changes", "revisits", "next_visit_at",
            "visited_at", "page_sha256", "last_modified", "etag",
        ):  # fmt: skip
            listings.drop_column(name)
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("marketplace_id", sa.Uuid(), nullable=True))
    # Version 0004 knows one marketplace a plan: the first one stays.
    op.execute(
        "UPDATE plans SET marketplace_id = (SELECT marketplace_id FROM plan_marketplaces"
        " WHERE plan_id = plans.id ORDER BY position LIMIT 1)"
    )
    with op.batch_alter_table("plans") as plans:
        plans.alter_column("marketplace_id", existing_type=sa.Uuid(), nullable=False)
        plans.create_foreign_key(
            op.f("fk_plans_marketplace_id"), "marketplaces", ["marketplace_id"], ["id"]
        )
    op.create_index(op.f("ix_plans_marketplace_id"), "plans", ["marketplace_id"], unique=False)
    op.drop_table("plan_marketplaces")
