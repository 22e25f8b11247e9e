"""an ordering click that was written stays written

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-26 02:05:00
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SAID = "an ordering click stays written"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER purchases_clicked BEFORE UPDATE OF clicked_at ON purchases "
            "WHEN OLD.clicked_at IS NOT NULL AND NEW.clicked_at IS NOT OLD.clicked_at "
            f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION purchases_clicked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.clicked_at IS NOT NULL AND NEW.clicked_at IS DISTINCT FROM OLD.clicked_at "
        f"THEN RAISE EXCEPTION '{SAID}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER purchases_clicked BEFORE UPDATE ON purchases "
        "FOR EACH ROW EXECUTE FUNCTION purchases_clicked()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER purchases_clicked")
        return
    op.execute("DROP TRIGGER purchases_clicked ON purchases")
    op.execute("DROP FUNCTION purchases_clicked()")
