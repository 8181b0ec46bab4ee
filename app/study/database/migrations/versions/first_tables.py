"""The first tables: studies, their images and questions, and votes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "study",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(32), nullable=False, unique=True),
        sa.Column("admin_digest", sa.String(64), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.Integer),
        sa.Column("closed_at", sa.Integer),
        sa.Column("closed_by", sa.String(16)),
    )
    op.create_table(
        "image",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.Integer, sa.ForeignKey("study.id"), nullable=False, index=True),
        sa.Column("media_type", sa.String(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "question",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("study_id", sa.Integer, sa.ForeignKey("study.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("class_name", sa.Text, nullable=False),
        sa.Column("first_image", sa.Integer, sa.ForeignKey("image.id"), nullable=False),
        sa.Column("second_image", sa.Integer, sa.ForeignKey("image.id"), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
    )
    op.create_table(
        "vote",
        sa.Column("study_id", sa.Integer, sa.ForeignKey("study.id"), primary_key=True),
        sa.Column("person", sa.String(32), primary_key=True),
        sa.Column("question_id", sa.Integer, sa.ForeignKey("question.id"), primary_key=True),
        sa.Column("outcome", sa.SmallInteger, nullable=False),
        sa.Column("is_swapped", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Delete the tables, and with them every study."""
    for name in ("vote", "question", "image", "study"):
        op.drop_table(name)
