"""The details of an audit entry are read as words, not as they are stored."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from scm.core.db import Database
from web.app import create_app
from web.pages.operations.details import details_of


@pytest.fixture
def pages(database: Database) -> Flask:
    return create_app(database)


def told(pages: Flask, **detail: object) -> list[tuple[str, str]]:
    with pages.test_request_context():
        return [(str(name), text) for name, text in details_of(json.dumps(detail))]


def test_what_is_empty_is_left_out(pages: Flask) -> None:
    assert told(pages, reason="", rule_id=None, without_bin=[], picks=34) == [("picks", "34")]


def test_internal_numbers_are_counted(pages: Flask) -> None:
    assert told(pages, closed=[6, 57, 59], opened=12) == [("closed", "3"), ("opened", "12")]
    documents = told(pages, documents={"purchase_order": [10], "return_authorization": [1, 2]})
    assert documents == [("purchase order", "1"), ("return", "2")]


def test_a_change_says_from_what_to_what(pages: Flask) -> None:
    assert told(pages, quantity=[48, 96]) == [("quantity", "48 → 96")]
    assert told(pages, changes={"unit_price": ["3.20", "4.10"]}) == [("changes", "unit price 3.20 → 4.10")]
    assert told(pages, changes={"weekday 5": [True, False]}) == [("changes", "weekday 5 yes → no")]


def test_a_time_is_said_in_the_zone_of_the_site(pages: Flask) -> None:
    assert told(pages, now="2026-09-22T07:00:00+00:00") == [("business time", "22 Sep 2026 07:00")]


def test_an_unknown_name_is_said_as_it_is(pages: Flask) -> None:
    assert told(pages, some_thing="x") == [("some thing", "x")]
