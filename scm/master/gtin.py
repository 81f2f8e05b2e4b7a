"""Global Trade Item Numbers: 8, 12, 13 or 14 digits, of which the last checks the others."""

from __future__ import annotations

from scm.core.errors import InvalidInput

LENGTHS = (8, 12, 13, 14)


class BadGtin(InvalidInput):
    """A GTIN has the wrong length, a character that is no digit, or a check digit that does not fit."""


def check_digit(body: str) -> int:
    """This function will compute the check digit for the digits before it.

    From the right, digits weigh 3 and 1 in turn; the check digit brings the sum to a multiple of ten (GS1 General
    Specifications, section 7.9). The example is the one GS1 prints.

    >>> check_digit("629104150021")
    3
    """
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return -total % 10


def check(text: str) -> str:
    """This function will give back a GTIN that is right, as it was written. Raises `BadGtin`."""
    if not (text.isascii() and text.isdigit()):
        raise BadGtin(f"GTIN {text!r} has a character that is no digit: give digits only")
    if len(text) not in LENGTHS:
        raise BadGtin(f"GTIN {text} has {len(text)} digits: it needs 8, 12, 13 or 14")
    expected = check_digit(text[:-1])
    if int(text[-1]) != expected:
        raise BadGtin(f"GTIN {text} ends in {text[-1]}, but its check digit is {expected}: read the label again")
    return text


def normal(text: str) -> str | None:
    """This function will give the 14 digits of what may be a GTIN, or None: a scanner may add or drop leading zeros.

    >>> normal("4006381333931"), normal("00012345600012"), normal("ABC")
    ('04006381333931', '00012345600012', None)
    """
    if not (text.isascii() and text.isdigit() and len(text) in LENGTHS):
        return None
    return text.zfill(LENGTHS[-1])


def written_forms(text: str) -> tuple[str, ...]:
    """This function will list the ways in which the same GTIN may be written, the shortest first.

    >>> written_forms("00012345600012")
    ('012345600012', '0012345600012', '00012345600012')
    """
    full = normal(text)
    if full is None:
        return ()
    return tuple(full[-length:] for length in LENGTHS if not int(full[:-length] or "0"))
