"""The language somebody reads in, for the few names that are kept in two languages.

It is ambient, as the language of the texts is: whoever opens a page's read transaction says it once, and every name
that is read inside comes in it. Nothing that changes or computes runs inside, so that what is stored never depends on
who was looking.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

ENGLISH = "en"
_reading: ContextVar[str | None] = ContextVar("language of the reader", default=None)


@contextlib.contextmanager
def reading_in(locale: str) -> Iterator[None]:
    """This function will let the names that are read inside be those of a language, such as `en` or `zh_CN`."""
    token = _reading.set(locale)
    try:
        yield
    finally:
        _reading.reset(token)


def is_english() -> bool:
    """This function will tell whether a reader of English is looking; anybody else is given the company's own names.

    >>> with reading_in("en"):
    ...     is_english()
    True
    >>> is_english()
    False
    """
    return _reading.get() == ENGLISH
