"""The words of documents: what the verbs of the audit and the states of documents are called on pages.

A sentence of the timeline is a name and a verb: "Mira confirmed the order". A verb without an entry is shown as the
audit has it.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from web.i18n import Text

VERBS: Mapping[str, Text] = {
    "proposal.publish": _l("proposed it"),
    "proposal.accept": _l("accepted the proposal"),
    "proposal.reject": _l("rejected the proposal"),
    "proposal.edit": _l("changed the proposal"),
    "proposal.undo": _l("took the answer back"),
    "proposal.undo_edit": _l("took the change back"),
    "purchase_order.draft": _l("drafted the order"),
    "purchase_order.edit": _l("changed the order"),
    "purchase_order.amend": _l("amended the order"),
    "purchase_order.submit": _l("submitted the order for approval"),
    "purchase_order.withdraw": _l("withdrew the order"),
    "purchase_order.approve": _l("approved the order"),
    "purchase_order.reject": _l("sent the order back"),
    "purchase_order.send": _l("sent the order to the supplier"),
    "purchase_order.cancel": _l("cancelled the order"),
    "purchase_order.confirm": _l("noted the supplier's confirmation"),
    "purchase_order.delegate": _l("handed the approval over"),
    "purchase_order.renew": _l("asked for approval again"),
    "goods_receipt.receive": _l("received the delivery"),
    "goods_receipt.take_back": _l("took the receipt back"),
    "receipt.inspect": _l("inspected the delivery"),
    "warehouse.put_away": _l("put the goods away"),
    "quarantine.let_out": _l("let goods out of quarantine"),
    "sales_order.place": _l("placed the order"),
    "sales_order.confirm": _l("confirmed the order"),
    "sales_order.place_and_confirm": _l("placed and confirmed the order"),
    "sales_order.cancel": _l("cancelled the order"),
    "sales_order.cancel_lines": _l("cancelled lines"),
    "sales_order.give_up": _l("noted that the customer walked away"),
    "wave.release": _l("released the wave"),
    "wave.pick": _l("confirmed picks"),
    "shipment.pack": _l("packed the shipment"),
    "shipment.check": _l("checked the shipment"),
    "shipment.unpack": _l("took the shipment apart"),
    "shipment.ship": _l("handed the shipment to the carrier"),
    "shipment.deliver": _l("noted the delivery"),
    "invoice.issue": _l("issued the invoice"),
    "payment.record": _l("recorded a payment"),
    "credit.issue": _l("issued a credit note"),
    "refund.pay": _l("paid money back"),
    "return.authorize": _l("authorized the return"),
    "return.inspect": _l("inspected what came back"),
    "return.dispose": _l("decided what becomes of it"),
    "return.refund": _l("refunded the customer"),
    "return.close": _l("closed the return"),
    "work_order.create": _l("wrote the order"),
    "work_order.release": _l("released the order to the floor"),
    "work_order.reschedule": _l("moved the order to other days"),
    "work_order.issue": _l("issued components"),
    "work_order.return_components": _l("brought components back"),
    "work_order.report": _l("reported work"),
    "work_order.correct": _l("corrected a report"),
    "work_order.complete": _l("completed output"),
    "work_order.undo": _l("took output back into production"),
    "work_order.consume": _l("noted what the partner used"),
    "work_order.send_back": _l("took components back from the partner"),
    "work_order.link": _l("made a link for the partner"),
    "work_order.revoke_link": _l("ended the partner's link"),
    "work_order.close": _l("closed the order"),
    "work_order.cancel": _l("cancelled the order"),
    "return.cancel": _l("cancelled the return"),
    "parcel.record": _l("wrote the parcel down"),
    "parcel.match": _l("matched the parcel"),
    "parcel.dispose": _l("took the parcel off the queue"),
    "site.add": _l("opened the site"),
    "transfer_lane.add": _l("opened the lane"),
    "transfer_lane.change": _l("changed the lane"),
    "transfer.draft": _l("wrote the transfer"),
    "transfer.release": _l("released the transfer"),
    "transfer.pick": _l("gave the transfer its bins"),
    "transfer.ship": _l("sent the transfer"),
    "transfer.receive": _l("received the transfer"),
    "transfer.write_off": _l("wrote a loss off"),
    "transfer.cancel": _l("gave the transfer up"),
    "transfer.withdraw": _l("took proposals off the transfer"),
    "cycle_count.plan": _l("planned the count"),
    "cycle_count.record": _l("counted"),
    "cycle_count.approve": _l("approved the difference"),
    "cycle_count.reject": _l("rejected the count"),
    "message.sent": _l("A message left"),
    "goods.receive": _l("received goods"),
    "goods.put_away": _l("put goods away"),
    "goods.issue": _l("took components out of storage"),
    "goods.send_to_partner": _l("sent components to the partner"),
    "goods.use_up": _l("noted components as used up"),
    "goods.come_back": _l("took components back"),
    "goods.complete": _l("brought output to the dock"),
    "goods.leave_production": _l("put goods from production on the shelf"),
    "goods.reject": _l("put goods into quarantine"),
    "goods.pick": _l("picked goods"),
    "goods.put_back": _l("put goods back"),
    "goods.ship": _l("shipped goods"),
    "goods.deliver": _l("noted that goods reached the customer"),
    "goods.take_back": _l("took goods back"),
    "goods.restock": _l("put goods back on the shelf"),
    "goods.refurbish": _l("set goods aside for mending"),
    "goods.return_to_supplier": _l("sent goods to the supplier"),
    "goods.scrap": _l("scrapped goods"),
    "goods.count_more": _l("found more goods than booked"),
    "goods.count_less": _l("found fewer goods than booked"),
    "goods.move": _l("moved goods"),
    "goods.reverse": _l("took a movement back"),
}
# What is planned has nobody's name before it.
PLANNED: Mapping[str, Text] = {
    "goods.receive": _l("goods are due from the supplier"),
    "goods.put_away": _l("goods wait to be put away"),
    "goods.pick": _l("goods are to be picked"),
    "goods.ship": _l("goods are to be packed and shipped"),
    "goods.deliver": _l("goods are on the way to the customer"),
    "goods.take_back": _l("goods are on their way back"),
    "goods.issue": _l("components are to be issued"),
    "goods.send_to_partner": _l("components are to be sent to the partner"),
    "goods.use_up": _l("components lie at the partner's"),
    "goods.complete": _l("output is to be completed"),
}
STATES: Mapping[str, Text] = {
    "open": _l("to be answered"),
    "accepted": _l("accepted"),
    "rejected": _l("rejected"),
    "superseded": _l("superseded"),
    "draft": _l("draft"),
    "submitted": _l("waits for approval"),
    "approved": _l("approved"),
    "sent": _l("sent"),
    "cancelled": _l("cancelled"),
    "confirmed": _l("confirmed"),
    "received": _l("received"),
    "planned": _l("planned"),
    "started": _l("in work"),
    "completed": _l("completed"),
    "released": _l("released"),
    "picked": _l("picked"),
    "packed": _l("packed"),
    "shipped": _l("shipped"),
    "delivered": _l("delivered"),
    "unpacked": _l("taken apart"),
    "issued": _l("issued"),
    "authorized": _l("authorized"),
    "closed": _l("closed"),
    "credited": _l("credited"),
    "refunded": _l("refunded"),
    "sold": _l("sold"),
    "to_dispose": _l("not decided yet"),
    "restock": _l("back to the shelf"),
    "refurbish": _l("to be mended"),
    "return_to_supplier": _l("back to the supplier"),
    "scrap": _l("scrapped"),
    "active": _l("active"),
    "phase_out": _l("phasing out"),
    "retired": _l("retired"),
}


def verb(name: str) -> str:
    """This function will say what somebody did, to stand behind their name."""
    return str(VERBS.get(name, name))


def planned(name: str) -> str:
    """This function will say what is planned to move."""
    return str(PLANNED.get(name) or VERBS.get(name, name))


def state(name: str) -> str:
    """This function will say the state of a document."""
    return str(STATES.get(name, name))
