"""Alembic's entry: runs the steps on the connection that `upgrade` opened, in its transaction."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator

from web.migrations import metadata


def _render(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Steps name plain column types, so that an old step never depends on today's code."""
    if kind == "type" and isinstance(item, TypeDecorator):
        impl = item.impl_instance
        if isinstance(impl, sa.DateTime):
            return "sa.DateTime(timezone=True)"
        return f"sa.{impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata(),
    render_as_batch=True,
    render_item=_render,
    compare_type=True,
)
context.run_migrations()
