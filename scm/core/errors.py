"""The four families of refusal, and the one family of outages.

Every error of the domain belongs to one of them, so that HTTP, the command line and a caller can treat it
without knowing the room it came from. Concrete errors are defined beside what raises them.
"""

from __future__ import annotations


class ScmError(Exception):
    """An error a person can act on: its text names the document, the numbers and the mend."""

    code = "error"


class InvalidInput(ScmError):
    """What was sent cannot be understood or is out of range; sending it again will fail again."""

    code = "invalid_input"


class NotFound(ScmError):
    """What was named does not exist."""

    code = "not_found"


class Conflict(ScmError):
    """What was asked does not fit the present state; it may fit another."""

    code = "conflict"


class NotAllowed(ScmError):
    """This person may not do this."""

    code = "not_allowed"


class Unavailable(ScmError):
    """The database could not be reached, is locked by another writer, or is full; nothing was changed."""

    code = "unavailable"
