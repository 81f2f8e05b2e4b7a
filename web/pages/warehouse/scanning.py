"""What a scanned text is, as JSON for the pages with a scanner."""

from __future__ import annotations

from typing import Any

from flask import current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput, NotFound
from scm.loop import scanning
from scm.loop.scanning import ScanKind, Scanned
from warehouse.sheets.cards import cards
from web import i18n
from web.area import PEOPLE, Area
from web.desk import Desk, read

area = Area("scanning", __name__)
PAGES = {
    ScanKind.PURCHASE_ORDER: "receiving.show",
    ScanKind.GOODS_RECEIPT: "receipts.show",
    ScanKind.WAVE: "picking.show",
    ScanKind.SHIPMENT: "shipments.show",
    ScanKind.CYCLE_COUNT: "counts.show",
    ScanKind.TRANSFER: "transfers.show",
    ScanKind.SALES_ORDER: "packing.show",
    ScanKind.RETURN_AUTHORIZATION: "returns.show",
    ScanKind.WORK_ORDER: "floor.show",
}


@area.page("/warehouse/scan", roles=PEOPLE)
def resolve(desk: Desk) -> ResponseReturnValue:
    """This function will answer what a scan is, or say in words that nothing here is called that."""
    text = request.args.get("text", "")
    try:
        with read() as session:
            return jsonify(_found(session, scanning.resolve(session, text, site_id=desk.site_id)))
    except (NotFound, InvalidInput) as error:
        # The script shows the words on the whole screen, beside what it expected.
        return jsonify({"text": i18n.refusal(error)}), 404 if isinstance(error, NotFound) else 400


def _found(session: Session, found: Scanned) -> dict[str, Any]:
    answer: dict[str, Any] = {"kind": found.kind.value, "code": found.code, "name": found.name, "units": found.units}
    if found.kind is ScanKind.ITEM:
        card = cards(session, [found.id])[found.id]
        answer |= {"lot": card.lot_tracked, "unit": i18n.unit(card.unit)}
    endpoint = PAGES.get(found.kind)
    if endpoint in current_app.view_functions:
        answer["address"] = url_for(endpoint, number=found.code)
    return answer
