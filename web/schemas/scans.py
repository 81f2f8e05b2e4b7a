"""What a page with a scanner sends: one batch of rows as JSON in one field, read as strictly as any form."""

from __future__ import annotations

import json
from typing import Any

from flask_babel import gettext
from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from scm.core.errors import InvalidInput
from web.schemas import MOST, Form

MOST_ROWS = 5_000
LONGEST_BATCH = 1_000_000
_id = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))


class BadBatch(InvalidInput):
    """A batch of scans cannot be read."""


class Row(Schema):
    """One row of a batch. What the schema does not know is refused."""

    class Meta:
        """Nothing unknown."""

        unknown = RAISE


def _quantity(least: int) -> fields.Integer:
    return fields.Integer(strict=True, required=True, validate=validate.Range(min=least, max=MOST))


def _code(*, required: bool = False) -> fields.String:
    default = missing if required else None
    return fields.String(required=required, load_default=default, validate=validate.Length(min=1, max=120))


class ReceivedRow(Row):
    """So much of an order line was counted."""

    line = _id
    quantity = _quantity(1)
    lot = _code()
    expiry = fields.Date(load_default=None)


class PickedRow(Row):
    """So much was taken for a pick."""

    line = _id
    quantity = _quantity(0)


class PutRow(Row):
    """So much of what waits at the dock went to a bin."""

    line = _id
    quantity = _quantity(1)
    bin = _code(required=True)


class PackedRow(Row):
    """So much of an item went through the packer's hands."""

    item = _id
    quantity = _quantity(1)


class CountedRow(Row):
    """So much of an item was found in a place."""

    place = _code(required=True)
    sku = _code(required=True)
    quantity = _quantity(0)
    lot = _code()


class ReceiveForm(Form):
    """A counted delivery."""

    counted = fields.String(required=True, validate=validate.Length(max=LONGEST_BATCH))
    delivery_note = fields.String(load_default="", validate=validate.Length(max=80))


class PickForm(Form):
    """What was picked of a wave."""

    picked = fields.String(required=True, validate=validate.Length(max=LONGEST_BATCH))


class PutForm(Form):
    """What was put away."""

    put = fields.String(required=True, validate=validate.Length(max=LONGEST_BATCH))


class PackForm(Form):
    """What was scanned into the cartons of one order."""

    scanned = fields.String(required=True, validate=validate.Length(max=LONGEST_BATCH))
    cartons = fields.Integer(required=True, validate=validate.Range(min=1, max=999))


class CountForm(Form):
    """What was found in the places of a count."""

    counted = fields.String(required=True, validate=validate.Length(max=LONGEST_BATCH))


def rows(schema: type[Row], text: str) -> list[dict[str, Any]]:
    """This function will read a batch by the schema of its rows. Raises `BadBatch`."""
    try:
        given = json.loads(text)
        if not isinstance(given, list) or len(given) > MOST_ROWS:
            raise BadBatch(gettext("A batch is a list of at most %(most)s rows.", most=MOST_ROWS))
        loaded = schema(many=True).load(given)
    except (ValueError, ValidationError) as error:
        raise BadBatch(gettext("These scans cannot be read: %(reason)s", reason=str(error)[:200])) from None
    assert isinstance(loaded, list)
    return loaded
