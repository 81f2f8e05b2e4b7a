"""The routes of a list: the page, its exports, its saved views, and a file that comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from flask import Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri

from scm.core import clock, saved_views
from scm.core import listing as lists
from scm.core.listing import Listing
from web.area import Area
from web.desk import Desk, act, done, read
from web.listing import Column, ListPage, address, cells, files, returning
from web.listing.address import Asked

MOST_PICKED = 5_000
MOST_EXPORTED = 200_000


def register(area: Area, page: ListPage) -> None:
    """This function will give an area the routes of a list: index, export, views, and bringing a file back."""

    def index(desk: Desk) -> ResponseReturnValue:
        if page.default and not request.args:
            return redirect(f"{url_for(f'{area.name}.index')}?{page.default}")
        return show(page, desk, area)

    def export(desk: Desk, kind: str) -> ResponseReturnValue:
        return _export(page, desk, kind)

    def save_view(desk: Desk) -> ResponseReturnValue:
        return _save_view(page, desk, area)

    def delete_view(desk: Desk, view_id: int) -> ResponseReturnValue:
        act("view.delete", lambda session: saved_views.delete(session, view_id=view_id, actor=desk.actor))
        return done(url_for(f"{area.name}.index"), gettext("The view is deleted."))

    def check_file(desk: Desk) -> ResponseReturnValue:
        return returning.check(page, desk, area.name)

    def apply_file(desk: Desk) -> ResponseReturnValue:
        return returning.apply(page, desk, area.name)

    area.page(page.rule, roles=page.roles)(index)
    area.page(f"{page.rule}/export.<any(csv, xlsx):kind>", roles=page.roles)(export)
    area.action(f"{page.rule}/views", roles=page.roles)(save_view)
    area.action(f"{page.rule}/views/<int:view_id>/delete", roles=page.roles)(delete_view)
    area.action(f"{page.rule}/file/check", roles=page.roles)(check_file)
    area.action(f"{page.rule}/file", roles=page.roles)(apply_file)


def show(page: ListPage, desk: Desk, area: Area) -> ResponseReturnValue:
    """This function will draw the page that the address asks for."""
    listing = page.listing(desk)
    asked = address.read(page, listing, desk, request.args)
    with read() as session:
        found = lists.fetch(session, listing, asked.query, sums=(page.worth,) if page.worth else ())
        views = saved_views.of_listing(session, listing=page.name, actor=desk.actor)
    return render_template(
        page.template,
        page=page,
        area=area.name,
        listing=listing,
        asked=asked,
        found=found,
        views=views,
        heading=page.heading(found, desk),
        conditions=_spoken(page, listing, asked),
        writers=_writers(page, listing, asked, desk),
    )


def picked(page: ListPage, desk: Desk) -> list[int]:
    """This function will give the keys of the picked rows, or of all that match when the form says so.

    For a bulk action, whose form is the list's. Raises `BadListQuery`.
    """
    if request.form.get("every") == "yes":
        listing = page.listing(desk)
        asked = address.read(page, listing, desk, _arguments(request.form.get("query", "")))
        with read() as session:
            return lists.keys(session, listing, asked.query, most=MOST_PICKED)
    texts = request.form.getlist("row")
    keys = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]
    if not keys or len(keys) != len(texts) or len(keys) > MOST_PICKED:
        raise lists.BadListQuery(f"{len(texts)} rows are picked: pick 1 to {MOST_PICKED:,} rows of the list")
    return list(dict.fromkeys(keys))


def _arguments(query: str) -> MultiDict[str, str]:
    return MultiDict(parse_qsl(query[: saved_views.LONGEST_QUERY], max_num_fields=100))


def _export(page: ListPage, desk: Desk, kind: str) -> ResponseReturnValue:
    listing = page.listing(desk)
    asked = address.read(page, listing, desk, request.args)
    columns = [one for one in asked.columns if any(one.field == known.name for known in listing.fields)]
    if page.identity not in [one.field for one in columns]:
        columns.insert(0, page.column(page.identity))  # by which the rows are known when the file comes back
    with read() as session:
        matching = lists.fetch(session, listing, asked.query).matching
    if matching > MOST_EXPORTED:
        raise lists.BadListQuery(f"{matching:,} rows match: narrow the filter to {MOST_EXPORTED:,} and export in parts")
    name = f"{page.name}-{desk.today.isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{iri_to_uri(name)}"'}
    if kind == "xlsx":
        with read() as session:
            body = files.write_xlsx(lists.stream(session, listing, asked.query), listing, columns, desk)
        sort = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(body, mimetype=sort, headers=headers)

    def pieces() -> Iterator[str]:
        with read() as session:
            yield from files.write_csv(lists.stream(session, listing, asked.query), listing, columns, desk)

    return Response(stream_with_context(pieces()), mimetype="text/csv; charset=utf-8", headers=headers)


def _save_view(page: ListPage, desk: Desk, area: Area) -> ResponseReturnValue:
    form = request.form
    query = form.get("query", "")
    address.read(page, page.listing(desk), desk, _arguments(query))  # what cannot be shown is not saved

    def save(session: Session) -> int:
        return saved_views.save(
            session,
            listing=page.name,
            name=form.get("name", ""),
            query=query,
            shared=form.get("shared") == "yes",
            actor=desk.actor,
            now=clock.wall_now(),
        )

    act("view.save", save)
    return done(f"{url_for(f'{area.name}.index')}?{query}", gettext("The view is saved."))


def _writers(page: ListPage, listing: Listing, asked: Asked, desk: Desk) -> list[tuple[Column, Markup, Any]]:
    """Each shown column with the start of its cells and what writes them; None where a template does."""
    return [
        (
            column,
            cells.opening(column, listing.field(column.field)),
            None if column.template else cells.writer(column, listing, desk),
        )
        for column in asked.columns
    ]


def _spoken(page: ListPage, listing: Listing, asked: Asked) -> Sequence[dict[str, str]]:
    """The filters in force as chips: what they say, and the address without them."""
    chips = []
    for name, text in asked.pairs:
        field, _, part = name.partition(".")
        column = next((one for one in page.columns if one.field == field), None)
        if name in address.OWN or column is None:
            continue
        choices = listing.field(field).choices
        if choices is not None:
            member = next((one for one in choices if one.value == text), None)
            shown = str(column.names.get(member, text)) if member is not None else text
        elif text in (files.YES, files.NO):
            shown = gettext("yes") if text == files.YES else gettext("no")
        else:
            shown = text
        signs = {"from": "≥ ", "to": "≤ ", "has": "~ ", "": ""}
        chips.append(
            {"label": str(column.label), "text": signs.get(part, "") + shown, "without": asked.without_pair(name, text)}
        )
    return chips
