"""Walks through the pages as one person, along their links, so that a page cannot be forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from tests.web.visitor import Visitor
from tests.words import visible
from web import area

VISITS = 2  # of each kind of page, for each person


def walked(
    app: Flask, username: str, *, more: Sequence[str] = (), visits: int = VISITS, without: str = "\0"
) -> Iterator[tuple[str, str, str]]:
    """Every kind of page somebody may open, reached along links from all that need no name and from `more`.

    Addresses that contain `without` are not opened.
    """
    visitor = Visitor(app).sign_in(username)
    starts = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    waiting, asked, visited = deque(["/", *sorted(starts), *more]), set[str](), dict[str, int]()
    while waiting:
        address = waiting.popleft()
        endpoint = endpoint_of(app, address)
        if (
            endpoint is None
            or address in asked
            or without in address
            or visited.get(endpoint, 0) >= visits
            or endpoint == "static"
        ):
            continue
        asked.add(address)
        answer = visitor.client.get(address)
        if answer.status_code >= 300 or answer.mimetype != "text/html":
            assert answer.status_code != 500, f"{username} broke {address}"
            if answer.status_code in (301, 302, 303) and answer.location.startswith("/"):
                waiting.appendleft(answer.location)
            visited[endpoint] = visited.get(endpoint, 0) + (answer.status_code == 200)
            if answer.status_code in (200, 302, 303):
                yield endpoint, address, ""
            continue
        visited[endpoint] = visited.get(endpoint, 0) + 1
        html = answer.get_data(as_text=True)
        waiting += [link for link in visible.read(html).links if link.startswith("/")]
        yield endpoint, address, html


def endpoint_of(app: Flask, address: str) -> str | None:
    """What answers an address."""
    parts = urlsplit(address)
    try:
        endpoint, _ = app.url_map.bind("localhost").match(parts.path, method="GET")
    except HTTPException:
        return None
    return str(endpoint)


def reachable(app: Flask) -> set[str]:
    """All endpoints that show something to somebody."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return {rule.endpoint for rule in rules if area.roles_of(rule.endpoint)}
