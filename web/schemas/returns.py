"""The forms of the returns desk."""

from __future__ import annotations

from marshmallow import fields, validate

from aftersales.disposition import Disposition
from aftersales.documents import ReturnReason
from aftersales.inspection import Finding, Grade
from aftersales.parcels import LONGEST_LABEL
from web.schemas import MOST, Form, quantity, text


def _id(*, required: bool = True) -> fields.Integer:
    return fields.Integer(strict=False, required=required, validate=validate.Range(min=1, max=2**62))


class AuthorizeForm(Form):
    """Units of one sold line that may come back; `parcel` is the unknown parcel they lie in, if they do."""

    line = _id()
    quantity = quantity()
    reason = fields.Enum(ReturnReason, by_value=True, required=True)
    lot = _id(required=False)
    parcel = text(longest=30)


class ReceiveForm(Form):
    """What was counted, line by line: the lists are of one length."""

    line = fields.List(_id(), required=True, validate=validate.Length(min=1, max=500))
    quantity = fields.List(fields.Integer(strict=False, validate=validate.Range(min=0, max=MOST)), required=True)
    lot = fields.List(text(longest=60), load_default=list)
    expiry = fields.List(fields.Date(), load_default=list)


class InspectForm(Form):
    """A verdict on units of one line. Its photos are files beside the form."""

    line = _id()
    quantity = quantity()
    grade = fields.Enum(Grade, by_value=True, required=True)
    finding = fields.Enum(Finding, by_value=True, required=True)
    note = text()
    lot = _id(required=False)


class SettleForm(Form):
    """What becomes of inspected units. `said` is the sentence of the proposal as it stood on the page."""

    inspection = _id()
    disposition = fields.Enum(Disposition, by_value=True, required=True)
    proposed = fields.Enum(Disposition, by_value=True, required=True)
    reason = text()
    said = text()
    bin = text(longest=40)


class RefundForm(Form):
    """How many units of one line are refunded."""

    line = _id()
    quantity = quantity()


class ReasonForm(Form):
    """Why something ends."""

    reason = text(required=True, longest=200)


class ParcelForm(Form):
    """What arrived and belongs to nobody yet. Its photos are files beside the form."""

    label = text(longest=LONGEST_LABEL)
    sender = text(longest=LONGEST_LABEL)
    contents = text(required=True)


class MatchForm(Form):
    """The return a parcel belongs to."""

    number = text(required=True, longest=120)
