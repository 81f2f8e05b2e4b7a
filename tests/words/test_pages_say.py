"""What the rooms stored is said on a page in the reader's language, by the filters `said` and `word`."""

from __future__ import annotations

import pytest
from flask import Flask, render_template_string, session

from web import i18n

TEXT = "there is no supplier ACME"
PAGE = "{{ text|said }} / {{ 'return_to_supplier'|word }}"


@pytest.fixture
def app() -> Flask:
    made = Flask(__name__)
    made.secret_key = "for tests"
    i18n.init(made)
    return made


@pytest.mark.parametrize(
    ("locale", "written"),
    [("zh_CN", "供应商 ACME 不存在 / 退回供应商"), ("en", "there is no supplier ACME / return to supplier")],
)
def test_a_stored_text_and_a_word_follow_the_reader(app: Flask, locale: str, written: str) -> None:
    with app.test_request_context("/"):
        session[i18n.LOCALE_KEY] = locale
        assert render_template_string(PAGE, text=TEXT) == written
