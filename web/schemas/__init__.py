"""What forms may hold, as marshmallow schemas, and reading a form by one: unknown, missing and odd fields are refused.

Schemas live with the pages that use them; the fields that several need are here.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

from flask import request
from flask_babel import gettext
from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from werkzeug.datastructures import MultiDict

from scm.core.errors import InvalidInput
from web.desk import NOT_THE_BODY

LONGEST_TEXT = 400
MOST = 10**12


class BadForm(InvalidInput):
    """A field of a form cannot be read; the text names the field, what stood in it and what may stand there."""


class Form(Schema):
    """A form. A field that the schema does not know is refused: nothing is assigned by accident."""

    class Meta:
        """Nothing unknown."""

        unknown = RAISE


def read_form(schema: type[Form], sent: MultiDict[str, str] | None = None) -> dict[str, Any]:
    """This function will read the request's form, or another part of it, by a schema; empty fields count as missing.

    Raises `BadForm`.
    """
    given = {
        name: texts if isinstance(schema._declared_fields.get(name), fields.List) else texts[0]
        for name, texts in (request.form if sent is None else sent).lists()
        if name not in NOT_THE_BODY and any(texts)
    }
    try:
        loaded = schema().load(given)
    except ValidationError as error:
        raise BadForm(_said(error, given)) from None
    assert isinstance(loaded, dict)
    return loaded


def quantity(*, required: bool = True, least: int = 1) -> fields.Integer:
    """This function will give a field for a whole number of base units."""
    return fields.Integer(strict=False, required=required, validate=validate.Range(min=least, max=MOST))


def text(*, required: bool = False, longest: int = LONGEST_TEXT) -> fields.String:
    """This function will give a field for text without control characters."""
    return fields.String(
        required=required,
        load_default=missing if required else "",
        validate=[validate.Length(max=longest), _printable],
    )


def price(*, required: bool = False) -> fields.Decimal:
    """This function will give a field for a unit price with up to six places."""
    return fields.Decimal(required=required, allow_nan=False, validate=_six_places)


def _printable(value: str) -> None:
    """Spaces of every width may come from what a page wrote or somebody copied; control characters may not."""
    if any(
        not (letter.isprintable() or unicodedata.category(letter) == "Zs" or letter in "\r\n\t") for letter in value
    ):
        raise ValidationError("it holds control characters")


def _six_places(value: Decimal) -> None:
    exponent = value.as_tuple().exponent
    if value < 0 or not isinstance(exponent, int) or exponent < -6 or value >= MOST:
        raise ValidationError("it must be an amount of at least 0 with at most six decimal places")


def _said(error: ValidationError, given: dict[str, Any]) -> str:
    messages = error.messages if isinstance(error.messages, dict) else {"form": error.messages}
    name, found = next(iter(messages.items()))
    reason = found[0] if isinstance(found, list) else str(found)
    if name not in given:
        return str(gettext("The field %(name)s is missing: fill it in.", name=name))
    value = str(given[name])[:40]
    return str(gettext("The field %(name)s is %(value)s: %(reason)s", name=name, value=repr(value), reason=str(reason)))
