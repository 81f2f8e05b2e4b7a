"""Logs: one line for each thing that happened, JSON when nobody looks, with secrets taken out.

What may hold a secret never reaches a log on purpose; the filter is for what reaches it by mistake.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

HIDDEN = "***"
# Names of fields whose values are secrets, wherever they stand.
SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|cookie|authorization|api_?key|csrf|signature|^sign$|smtp_url"
    r"|database_url|webhook_url|session(_id)?$",
    re.IGNORECASE,
)
# user:password@ in an address, keys in a query, the paths of chat rooms' addresses, bearer tokens.
SECRET_TEXTS = (
    (re.compile(r"(\w+://)[^/\s@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"([?&](?:key|access_token|token|sign|secret|password)=)[^&\s'\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(hooks\.slack\.com/)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"((?:Bearer|Basic)\s+)[\w.~+/=-]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(\$argon2\w*\$)[^\s'\"]+"), rf"\1{HIDDEN}"),
)


def configure(stream: TextIO, *, level: int = logging.INFO) -> None:
    """This function will send the logs of this program and of its libraries to a stream."""
    plain = stream.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=True)
        if plain
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    structlog.configure(
        processors=[*shared[:4], *shared[5:], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_secrets, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it would tell of every look at every job


def without_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """This function will take secrets out of one entry: fields by their names, texts by what they look like."""
    for name in list(event):
        if not name.startswith("_"):
            event[name] = clean(event[name], name=name)
    return event


def clean(value: Any, *, name: str = "") -> Any:
    """This function will give a value without secrets.

    >>> clean({"password": "hunter2", "url": "postgresql://scm:hunter2@db/scm"})
    {'password': '***', 'url': 'postgresql://***@db/scm'}
    """
    if SECRET_NAMES.search(name) and value not in (None, ""):
        return HIDDEN
    if isinstance(value, str):
        for pattern, replacement in SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, Mapping):
        return {key: clean(inner, name=str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner) for inner in value]
    return value
