"""What the pages with a scanner say, handed to their scripts: {holes} are filled there."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from web.i18n import Text

EVERYWHERE: Mapping[str, Text] = {
    "right": _l("Right"),
    "complete": _l("Complete"),
    "wrongItem": _l("Wrong item"),
    "wrongPlace": _l("Wrong place"),
    "rightPlace": _l("Right place"),
    "wrongScan": _l("Not expected here"),
    "expected": _l("Expected {code}"),
    "scanned": _l("You scanned: {name}"),
    "isA": _l("That is {kind}"),
    "item": _l("an item"),
    "location": _l("a place"),
    "purchase_order": _l("a purchase order"),
    "goods_receipt": _l("a goods receipt"),
    "wave": _l("a wave"),
    "shipment": _l("a shipment"),
    "cycle_count": _l("a cycle count"),
    "sales_order": _l("a sales order"),
    "transfer": _l("a transfer"),
    "return_authorization": _l("a return"),
    "work_order": _l("a work order"),
    "added": _l("{number} {unit}"),
    "tooMany": _l("{number} too many"),
    "putBack": _l("Not counted: put it back"),
    "undo": _l("Undo {number}"),
    "undoNothing": _l("Undo"),
    "scanFirst": _l("Scan first"),
    "scanNext": _l("Scan"),
    "scanItem": _l("Scan the item"),
    "scanPlace": _l("Scan the place"),
    "placeFirst": _l("Scan the place first"),
    "goTo": _l("Go to"),
    "unknown": _l("Unknown code"),
    "offlineScan": _l("No connection: only codes of this page are known. Not counted."),
    "noNetwork": _l("No connection"),
    "waiting": _l("{number} waiting"),
    "sent": _l("Sent: {title}"),
    "locked": _l("Finished here"),
    "lockedDetail": _l("It waits to be sent. Nothing more is counted on it."),
    "stale": _l("Some kept scans no longer fit this document and were dropped: count those lines again."),
}
TASKS: Mapping[str, Mapping[str, Text]] = {
    "index": {"scanWhat": _l("A document, a shipment or a place")},
    "floor": {"scanWhat": _l("The number on the work order")},
    "receive": {
        "notCounted": _l("Not counted."),
        "notHere": _l("It is not on this order."),
        "atMost": _l("Ordered {wanted}, tolerated above it {over}. Not counted: put it aside."),
        "above": _l("{number} above the order"),
        "tolerated": _l("Counted: the supplier may send that much more."),
        "shortBy": _l("{number} are missing. They stay on order; what was counted is posted now."),
        "allHere": _l("Everything is here. What was counted is posted now."),
        "finishShort": _l("Finish short by {number}…"),
        "finish": _l("Post the receipt: {number}"),
    },
    "pick": {
        "nextPlace": _l("Next: {code}"),
        "allPicked": _l("All picked"),
        "postNow": _l("Post the picks and bring the goods to the packing bench."),
        "forOrder": _l("{number} {unit} for {order}"),
        "short": _l("Short by {number}…"),
        "shortText": _l("{place} has {have} of {wanted}. The rest stays promised and is looked for in another bin."),
        "undoShort": _l("Undo short"),
        "isShort": _l("Short"),
        "lookedFor": _l("The rest is looked for in another bin; this one will be counted."),
        "finish": _l("Post the picks: {number}"),
    },
    "send": {
        "nextPlace": _l("Next: {code}"),
        "allPicked": _l("All picked"),
        "postNow": _l("Load the goods, then send them on their way."),
        "forOrder": _l("{number} {unit} for {order}"),
        "short": _l("Short by {number}…"),
        "shortText": _l("{place} has {have} of {wanted}. The rest stays here and is free again."),
        "undoShort": _l("Undo short"),
        "isShort": _l("Short"),
        "lookedFor": _l("The rest stays here: count this bin."),
        "finish": _l("Send on its way: {number}"),
    },
    "take_in": {
        "notCounted": _l("Not counted."),
        "notHere": _l("It is not on this transfer."),
        "atMost": _l("Sent {wanted}, {over} more tolerated. Not counted: count it in as found."),
        "above": _l("{number} above what was sent"),
        "tolerated": _l("Not counted."),
        "shortBy": _l("{number} are missing. They stay on the way; what was counted is received now."),
        "allHere": _l("Everything is here. What was counted is received now."),
        "finishShort": _l("Finish short by {number}…"),
        "finish": _l("Receive: {number}"),
    },
    "pack": {
        "allChecked": _l("All checked"),
        "missing": _l("{number} still to scan"),
        "pack": _l("Pack…"),
    },
    "putaway": {
        "title": _l("Put away"),
        "putInto": _l("Put {number} {unit} into"),
        "stands": _l("{number} {unit} stand in {code}"),
        "otherPlace": _l("Another bin"),
        "itemFirst": _l("Scan the item first"),
        "notAtDock": _l("It does not wait at the dock."),
        "notSoMany": _l("Not so many"),
        "atMost": _l("At most {number} are left."),
        "allPut": _l("The dock is clear"),
        "finish": _l("Post what was put away: {number}"),
    },
    "count": {
        "counted": _l("Counted"),
        "scanAll": _l("Scan everything that is here"),
        "notThisPlace": _l("This place is not to be counted now."),
        "notToCount": _l("Not to be counted"),
        "undoEmpty": _l("Undo empty"),
        "missing": _l("{number} still to count"),
        "finish": _l("Finish the count…"),
        "allCounted": _l("All places are counted"),
        "finishNow": _l("Finish the count: somebody else decides about differences."),
    },
}


def of_task(task: str) -> dict[str, str]:
    """This function will give the words of one page in the reader's language."""
    return {name: str(text) for name, text in {**EVERYWHERE, **TASKS[task]}.items()}
