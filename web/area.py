"""Areas: blueprints whose every route says who may use it. A route that does not say so is refused by all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from scm.core.users import Role
from web import desk as desks
from web.desk import Desk

PEOPLE = frozenset(Role) - {Role.SYSTEM}
NOBODY_IN_PARTICULAR: frozenset[Role] = frozenset()  # open without signing in

View = Callable[..., ResponseReturnValue]
_access: dict[str, frozenset[Role]] = {}


class Area(Blueprint):
    """One part of the pages. The endpoints are named `area.function`."""

    def page(self, rule: str, *, roles: Iterable[Role]) -> Callable[[View], View]:
        """This function will register a view that reads; it gets the desk and the parts of the address."""
        return self._register(rule, methods=["GET"], roles=roles)

    def action(self, rule: str, *, roles: Iterable[Role]) -> Callable[[View], View]:
        """This function will register a view that changes something."""
        return self._register(rule, methods=["POST"], roles=roles)

    def _register(self, rule: str, *, methods: list[str], roles: Iterable[Role]) -> Callable[[View], View]:
        accepted = frozenset(roles)

        def register(view: View) -> View:
            @functools.wraps(view)
            def with_desk(**parts: Any) -> ResponseReturnValue:
                return view(desks.current(), **parts) if accepted else view(**parts)

            _access[f"{self.name}.{view.__name__}"] = accepted
            self.add_url_rule(rule, view.__name__, with_desk, methods=methods)
            return view

        return register


def access() -> dict[str, frozenset[Role]]:
    """This function will give the roles of every registered endpoint."""
    return dict(_access)


def roles_of(endpoint: str) -> frozenset[Role] | None:
    """This function will give the roles of an endpoint; None when it never said."""
    return _access.get(endpoint)


def may(desk: Desk, endpoint: str) -> bool:
    """This function will tell whether the person may use an endpoint."""
    return desk.has(*_access.get(endpoint, ()))
