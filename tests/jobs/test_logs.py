"""No secret reaches a log, by name or by what it looks like."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from scm.core.config import BadSetting, Settings
from web import logs

SECRETS = (
    "postgresql://scm:hunter2@db/scm",
    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hunter2",
    "https://oapi.dingtalk.com/robot/send?access_token=hunter2&timestamp=1&sign=hunter2",
    "https://hooks.slack.com/services/T0/B0/hunter2",
    "smtp://user:hunter2@mail.example:587",
    "Authorization: Bearer hunter2",
    "$argon2id$v=19$m=65536,t=3,p=4$hunter2$hunter2",
)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(autouse=True)
def configured(stream: io.StringIO) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(stream)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("secret", SECRETS)
def test_a_text_that_holds_a_secret_is_logged_without_it(stream: io.StringIO, secret: str) -> None:
    structlog.get_logger("t").warning("failed", error=f"cannot reach {secret} now", nested={"deep": [secret]})
    logging.getLogger("library").error("cannot reach %s", secret)
    assert "hunter2" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2


@pytest.mark.parametrize("name", ["password", "smtp_url", "api_key", "csrf_token", "secret", "cookie", "session_id"])
def test_a_field_named_like_a_secret_is_hidden(stream: io.StringIO, name: str) -> None:
    structlog.get_logger("t").info("event", **{name: "hunter2", "form": {name: "hunter2"}})
    entry = json.loads(stream.getvalue())
    assert entry[name] == logs.HIDDEN and entry["form"] == {name: logs.HIDDEN}


def test_an_unexpected_error_is_logged_without_what_it_repeats(stream: io.StringIO) -> None:
    try:
        raise ValueError("bad address postgresql://scm:hunter2@db/scm")
    except ValueError:
        logging.getLogger("t").exception("it failed")
    entry = json.loads(stream.getvalue())
    assert "hunter2" not in stream.getvalue() and "ValueError" in entry["exception"]


def test_settings_show_no_password_when_they_are_printed_or_refused() -> None:
    settings = Settings.from_environment({"SCM_SMTP_URL": "smtp://u:hunter2@mail.example"})
    assert "hunter2" not in repr(settings)
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({"SCM_SMTP_URL": "http://u:hunter2@mail.example"})
    assert "hunter2" not in str(refused.value)
