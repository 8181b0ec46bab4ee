"""Alembic's entry: runs the steps on the connection that `steps` gives, in its transaction."""

from alembic import context

from app.study.database.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
