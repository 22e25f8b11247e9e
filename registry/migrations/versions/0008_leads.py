"""leads, tips and yields of queries

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-25 20:45:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.models.base import UtcDateTime

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("generate", sa.Integer(), nullable=False, server_default="0"))
        plans.add_column(sa.Column("depth", sa.Integer(), nullable=True))
        plans.add_column(sa.Column("products", JSON, nullable=False, server_default="[]"))
        plans.add_column(sa.Column("link_pages", JSON, nullable=False, server_default="[]"))
    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("marketplace_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("page", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("from_listing_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_leads_brand_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_leads_plan_id")),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_leads_marketplace_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_listing_id"], ["listings.id"], name=op.f("fk_leads_from_listing_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_leads_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("brand_id", "key", name=op.f("uq_leads_brand_id_key")),
    )
    op.create_index(
        "ix_leads_marketplace_id_state", "leads", ["marketplace_id", "state", "rank", "id"]
    )
    op.create_index(
        "ix_leads_marketplace_id_external_id", "leads", ["marketplace_id", "external_id"]
    )
    op.create_index(op.f("ix_leads_plan_id"), "leads", ["plan_id"])
    op.create_index(op.f("ix_leads_from_listing_id"), "leads", ["from_listing_id"])
    op.create_index(op.f("ix_leads_run_id"), "leads", ["run_id"])
    op.create_index(op.f("ix_leads_state"), "leads", ["state"])
    op.create_table(
        "tips",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_tips_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tips")),
    )
    op.create_index(op.f("ix_tips_state"), "tips", ["state"])
    op.create_table(
        "query_yields",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_query_yields_plan_id")),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_query_yields_marketplace_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_query_yields_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query_yields")),
        sa.UniqueConstraint(
            "run_id",
            "marketplace_id",
            "query",
            name=op.f("uq_query_yields_run_id_marketplace_id_query"),
        ),
    )
    op.create_index(
        "ix_query_yields_plan_id_marketplace_id", "query_yields", ["plan_id", "marketplace_id"]
    )
    op.create_table(
        "query_hits",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("marketplace_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("first_run_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_query_hits_plan_id")),
        sa.ForeignKeyConstraint(
            ["marketplace_id"], ["marketplaces.id"], name=op.f("fk_query_hits_marketplace_id")
        ),
        sa.ForeignKeyConstraint(
            ["first_run_id"], ["runs.id"], name=op.f("fk_query_hits_first_run_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_query_hits_run_id")),
        sa.PrimaryKeyConstraint(
            "plan_id", "marketplace_id", "external_id", "query", name=op.f("pk_query_hits")
        ),
    )


def downgrade() -> None:
    op.drop_table("query_hits")
    op.drop_index("ix_query_yields_plan_id_marketplace_id", table_name="query_yields")
    op.drop_table("query_yields")
    op.drop_index(op.f("ix_tips_state"), table_name="tips")
    op.drop_table("tips")
    op.drop_index(op.f("ix_leads_state"), table_name="leads")
    op.drop_index(op.f("ix_leads_run_id"), table_name="leads")
    op.drop_index(op.f("ix_leads_from_listing_id"), table_name="leads")
    op.drop_index(op.f("ix_leads_plan_id"), table_name="leads")
    op.drop_index("ix_leads_marketplace_id_external_id", table_name="leads")
    op.drop_index("ix_leads_marketplace_id_state", table_name="leads")
    op.drop_table("leads")
    with op.batch_alter_table("plans") as plans:
        for name in ("link_pages", "products", "depth", "generate"):
            plans.drop_column(name)
