"""Writes heads with their lines: entries with postings, invoices with invoice lines.

One statement on PostgreSQL, where a round trip costs more than the rows; a few on SQLite, where there is none. Only the
verbs of this room use it. It decides nothing, and every constraint holds as for any other write.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

Row = Mapping[str, Any]
_PLACE = "line_of"  # which of the heads a line belongs to


def insert(
    session: Session, *, head: sa.Table, heads: Sequence[Row], line: sa.Table, lines: Sequence[Sequence[Row]], key: str
) -> list[int]:
    """This function will insert heads, each with the lines at its place in `lines`, and give the ids of the heads.

    `key` is the column of a line that takes the head's id. All heads have the same columns, and so have all lines.
    """
    if not heads:
        return []
    flat = [(place, row) for place, rows in enumerate(lines) for row in rows]
    if session.get_bind().dialect.name != "postgresql":
        return _in_two(session, head, heads, line, flat, key)
    if not flat:
        inserted = sa.insert(head).returning(head.c.id, sort_by_parameter_order=True)
        return [int(head_id) for head_id in session.scalars(inserted, [dict(row) for row in heads])]
    statement = _both(head, tuple(heads[0]), line, tuple(flat[0][1]), key)
    columns: dict[str, list[Any]] = {f"head_{name}": [row[name] for row in heads] for name in heads[0]}
    columns |= {f"line_{name}": [row[name] for _, row in flat] for name in flat[0][1]}
    columns[_PLACE] = [place + 1 for place, _ in flat]
    return [int(head_id) for head_id in session.scalars(statement, columns)]


def _in_two(
    session: Session, head: sa.Table, heads: Sequence[Row], line: sa.Table, flat: Sequence[tuple[int, Row]], key: str
) -> list[int]:
    """A writer on SQLite is alone, so it may number the heads itself; SQLite would give ids one row at a time only."""
    last = int(session.execute(sa.select(sa.func.coalesce(sa.func.max(head.c.id), 0))).scalar_one())
    ids = list(range(last + 1, last + 1 + len(heads)))
    session.execute(sa.insert(head), [{"id": head_id, **row} for head_id, row in zip(ids, heads, strict=True)])
    if flat:
        session.execute(sa.insert(line), [{key: ids[place], **row} for place, row in flat])
    return ids


@functools.cache
def _both(
    head: sa.Table, head_names: tuple[str, ...], line: sa.Table, line_names: tuple[str, ...], key: str
) -> sa.Select[Any]:
    """Heads get their ids from the sequence before they are inserted, so that lines can name them at once.

    The foreign key from line to head is checked at the end of the statement.
    """
    sequence = sa.func.pg_get_serial_sequence(head.name, "id")
    given = _unnested(head, head_names, "head")
    numbered = (
        sa.select(sa.cast(sa.func.nextval(sequence), sa.BigInteger).label("id"), given)
        .order_by(given.c.place)
        .cte("numbered")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    new_heads = sa.insert(head).from_select(
        ["id", *head_names], sa.select(numbered.c.id, *(numbered.c[name] for name in head_names))
    )
    wanted = _unnested(line, line_names, "line")
    new_lines = sa.insert(line).from_select(
        [key, *line_names],
        sa.select(numbered.c.id, *(wanted.c[name] for name in line_names))
        .join_from(wanted, numbered, numbered.c.place == wanted.c[_PLACE])
        .order_by(wanted.c.place),
    )
    return (
        sa.select(numbered.c.id)
        .order_by(numbered.c.place)
        .add_cte(new_heads.cte("new_heads"), new_lines.cte("new_lines"))
    )


def _unnested(table: sa.Table, names: tuple[str, ...], prefix: str) -> sa.TableValuedAlias:
    arrays: list[Any] = [
        sa.bindparam(f"{prefix}_{name}", type_=ARRAY(table.c[name].type, dimensions=1)) for name in names
    ]
    columns = [sa.column(name, table.c[name].type) for name in names]
    if prefix == "line":
        arrays.append(sa.bindparam(_PLACE, type_=ARRAY(sa.BigInteger, dimensions=1)))
        columns.append(sa.column(_PLACE, sa.BigInteger))
    return sa.func.unnest(*arrays).table_valued(*columns, with_ordinality="place", name=prefix).render_derived()
