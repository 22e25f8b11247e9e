"""pictures of marks, words of brands, outcomes of assessments, verdicts, learned models

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-25 17:10:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from registry.models.base import UtcDateTime

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WORDS = ("transliterations", "nicknames", "product_words")


def upgrade() -> None:
    with op.batch_alter_table("brands") as brands:
        for name in WORDS:
            brands.add_column(sa.Column(name, JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("pictures") as pictures:
        pictures.add_column(sa.Column("matcher", sa.String(length=64), nullable=True))
        pictures.add_column(sa.Column("traits", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("marks") as marks:
        marks.add_column(sa.Column("picture_sha256", sa.String(length=64), nullable=True))
        marks.create_foreign_key(
            op.f("fk_marks_picture_sha256"), "pictures", ["picture_sha256"], ["sha256"]
        )
    with op.batch_alter_table("assessments") as assessments:
        assessments.add_column(
            sa.Column("outcome", sa.String(length=8), nullable=False, server_default="pass")
        )
        assessments.add_column(sa.Column("kind", sa.String(length=16), nullable=True))
        assessments.add_column(sa.Column("model_version", sa.String(length=64), nullable=True))
    # What was flagged before there were outcomes was flagged as a likely counterfeit.
    table = sa.table(
        "assessments",
        sa.column("flagged", sa.Boolean()),
        sa.column("outcome", sa.String()),
        sa.column("kind", sa.String()),
    )
    op.execute(table.update().where(table.c.flagged).values(outcome="flag", kind="counterfeit"))
    op.create_index(
        "ix_assessments_outcome_score", "assessments", ["outcome", "score"], unique=False
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("report", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("version", name=op.f("uq_models_version")),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("brand_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("model_version", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessments.id"], name=op.f("fk_verdicts_assessment_id")
        ),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], name=op.f("fk_verdicts_brand_id")),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listings.id"], name=op.f("fk_verdicts_listing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
    )
    op.create_index(op.f("ix_verdicts_assessment_id"), "verdicts", ["assessment_id"], unique=False)
    op.create_index(
        "ix_verdicts_listing_id_brand_id", "verdicts", ["listing_id", "brand_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_verdicts_listing_id_brand_id", table_name="verdicts")
    op.drop_index(op.f("ix_verdicts_assessment_id"), table_name="verdicts")
    op.drop_table("verdicts")
    op.drop_table("models")
    op.drop_index("ix_assessments_outcome_score", table_name="assessments")
    # Without "batch", which would drop a table that others point at and make it anew.
    for name in ("model_version", "kind", "outcome"):
        op.drop_column("assessments", name)
    with op.batch_alter_table("marks") as marks:
        marks.drop_constraint(op.f("fk_marks_picture_sha256"), type_="foreignkey")
        marks.drop_column("picture_sha256")
    for name in ("traits", "matcher"):
        op.drop_column("pictures", name)
    for name in reversed(WORDS):
        op.drop_column("brands", name)
