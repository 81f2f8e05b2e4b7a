"""Settings, read once from the environment. Every name starts with SCM_ and is described in docs/operations.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scm.core.errors import InvalidInput

DEFAULT_DATABASE_URL = "sqlite:///scm.db"
DEFAULT_MAIL_FROM = "scm@localhost"
DEFAULT_OUTBOX_DIRECTORY = "outbox"
KNOWN_DIALECTS = ("sqlite", "postgresql")


class BadSetting(InvalidInput):
    """A setting has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation decides: the database, how long a writer waits, and where messages go."""

    database_url: str = field(default=DEFAULT_DATABASE_URL, repr=False)  # it may hold a password
    lock_timeout_seconds: float = 10.0
    public_url: str | None = None
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = DEFAULT_MAIL_FROM
    outbox_directory: str = DEFAULT_OUTBOX_DIRECTORY
    metrics_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """This function will read SCM_DATABASE_URL, SCM_LOCK_TIMEOUT_SECONDS and how messages leave.

        Raises `BadSetting` naming the variable, its value and what it should be.
        """
        return cls(
            database_url=_database_url(environment.get("SCM_DATABASE_URL", DEFAULT_DATABASE_URL)),
            lock_timeout_seconds=_seconds(environment, "SCM_LOCK_TIMEOUT_SECONDS", default=10.0),
            public_url=_public_url(environment.get("SCM_PUBLIC_URL")),
            smtp_url=_smtp_url(environment.get("SCM_SMTP_URL")),
            mail_from=_mail_from(environment.get("SCM_MAIL_FROM", DEFAULT_MAIL_FROM)),
            outbox_directory=environment.get("SCM_OUTBOX_DIR") or DEFAULT_OUTBOX_DIRECTORY,
            metrics_token=environment.get("SCM_METRICS_TOKEN") or None,
        )


def _database_url(text: str) -> str:
    dialect = text.partition(":")[0].partition("+")[0]
    if dialect == "postgres":
        dialect = "postgresql"
    if dialect not in KNOWN_DIALECTS or "://" not in text:
        raise BadSetting(
            f"SCM_DATABASE_URL is {text.partition('@')[2] or text!r}: it must start with sqlite:/// or postgresql://"
        )
    if dialect == "postgresql":
        # One driver is supported; a bare postgresql:// address would otherwise ask for psycopg2.
        return "postgresql+psycopg://" + text.partition("://")[2]
    return text


def _seconds(environment: Mapping[str, str], name: str, *, default: float) -> float:
    text = environment.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise BadSetting(f"{name} is {text!r}: it must be a number of seconds, for example {default}") from None
    if not 0 < value <= 600:
        raise BadSetting(f"{name} is {value}: it must be more than 0 and at most 600 seconds")
    return value


def _public_url(text: str | None) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting(f"SCM_PUBLIC_URL is {text!r}: it must be the address people open, such as https://scm.example")
    return text.rstrip("/")


def _smtp_url(text: str | None) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("smtp", "smtps") and parts.hostname and (parts.port or 25) > 0
    except ValueError:
        usable = False
    if not usable:
        # The text is not repeated: it may hold a password.
        raise BadSetting("SCM_SMTP_URL cannot be used: write it as smtp://USER:PASSWORD@HOST:587 or smtps://…:465")
    return text


def _mail_from(text: str) -> str:
    if "@" not in text or not text.isprintable():
        raise BadSetting(f"SCM_MAIL_FROM is {text!r}: it must be an e-mail address")
    return text
