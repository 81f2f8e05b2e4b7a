"""The way in: the first page of the person's rail."""

from __future__ import annotations

from flask import redirect
from flask.typing import ResponseReturnValue

from web import navigation
from web.area import PEOPLE, Area
from web.desk import Desk

area = Area("home", __name__)


@area.page("/", roles=PEOPLE)
def show(desk: Desk) -> ResponseReturnValue:
    """This function will lead to the first page this person may open."""
    addresses = [link.address for _group, links in navigation.rail(desk) for link in links if link.address != "/"]
    return redirect(addresses[0])
