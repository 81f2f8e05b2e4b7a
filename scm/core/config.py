"""Settings, read once from the environment. Every name starts with SCM_ and is described in docs/operations.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scm.core.errors import InvalidInput

DEFAULT_DATABASE_URL = "sqlite:///scm.db"
KNOWN_DIALECTS = ("sqlite", "postgresql")


class BadSetting(InvalidInput):
    """A setting has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation decides: the database, and how long a writer waits for another."""

    database_url: str = DEFAULT_DATABASE_URL
    lock_timeout_seconds: float = 10.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """This function will read SCM_DATABASE_URL and SCM_LOCK_TIMEOUT_SECONDS.

        Raises `BadSetting` naming the variable, its value and what it should be.
        """
        return cls(
            database_url=_database_url(environment.get("SCM_DATABASE_URL", DEFAULT_DATABASE_URL)),
            lock_timeout_seconds=_seconds(environment, "SCM_LOCK_TIMEOUT_SECONDS", default=10.0),
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
