"""A browser without a window: signs in as somebody, follows the forms' tokens and keys, and says what it sees."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scm.core import clock, passwords
from scm.core.db import Database
from scm.core.users import User
from web.app import create_app

PASSWORD = "a password for tests"


class Visitor:
    """One browser. `app` may be shared by several."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: FlaskClient = app.test_client()
        self._token = ""

    def get(self, address: str, *, status: int = 200, **options: Any) -> str:
        """This function will fetch a page and give its HTML; its form token is remembered."""
        answer = self.client.get(address, **options)
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, f"{address}: {answer.status_code}: {text_of(text)[-600:]}"
        found = re.search(r'name="csrf_token" value="([^"]+)"|X-CSRFToken": "([^"]+)"', text)
        if found:
            self._token = found[1] or found[2]
        return text

    def post(
        self, address: str, *, key: str | None = None, partial: bool = False, status: int | None = None, **fields: Any
    ) -> TestResponse:
        """This function will send a form with a token and a key of its own, as a page's form does.

        Field names with dots or dashes go in `fields` as a dict under `data`.
        """
        data = {"csrf_token": self._token, "key": key or uuid.uuid4().hex} | fields.pop("data", {}) | fields
        headers = {"HX-Request": "true"} if partial else {}
        answer = self.client.post(address, data=data, headers=headers)
        if status is not None:
            said = text_of(answer.get_data(as_text=True))[-600:]
            assert answer.status_code == status, f"{address}: {answer.status_code}: {said}"
        return answer

    def sign_in(self, username: str, password: str = PASSWORD) -> Visitor:
        """This function will sign in through the form."""
        self.get("/login")
        answer = self.post("/login", username=username, password=password)
        assert answer.status_code == 303, text_of(answer.get_data(as_text=True))
        self.get("/account")  # the token changes with the session
        return self


def text_of(page: str) -> str:
    """This function will give what a page says, without markup and with single spaces."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def signed_in(database: Database, username: str, *, app: Flask | None = None) -> Visitor:
    """This function will give a visitor who is signed in as one of the company's users."""
    give_passwords(database, username)
    return Visitor(app or create_app(database)).sign_in(username)


def give_passwords(database: Database, *usernames: str) -> None:
    """This function will give users the password of tests."""
    with database.unit_of_work(write=True) as session:
        for user_id, name in session.execute(sa.select(User.id, User.username).where(User.username.in_(usernames))):
            passwords.set_password(session, user_id=user_id, username=name, password=PASSWORD, now=clock.wall_now())
