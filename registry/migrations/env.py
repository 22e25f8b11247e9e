"""How Alembic reaches the database: through the connection that `Database` gives it."""

from alembic import context

from registry.models import Base

connection = context.config.attributes["connection"]
on_sqlite = connection.dialect.name == "sqlite"
if on_sqlite:
    # To alter a table, SQLite's is copied and dropped, which the rows that refer to it would
    # forbid. The switch does nothing within a transaction, so this connection keeps it off,
    # and is therefore not given back to the others.
    connection.detach()
    connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=on_sqlite,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
    if on_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError("a migration left rows that refer to rows that are gone")
