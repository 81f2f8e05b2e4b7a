"""Decides what every readable line of a file is: accepted as one of four kinds, or refused, or a repetition.

Pure: packed lines in, packed lines out; refused ones go to the tally.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scm.loop.importing import masters, matching, repeats
from scm.loop.importing.formats import KINDS, REFUSED, Format, Kinds, Refusal
from scm.loop.importing.lines import Flags, Int64, Lines
from scm.loop.importing.matching import Matches
from scm.loop.importing.refusals import Rejection, shown
from scm.loop.importing.report import EXAMPLES_PER_REASON, Tally
from scm.loop.importing.tables import LineKind

REPEATED = Refusal("repeated_line", "invoice", "nothing: the line stood in an earlier export and was taken from there")


@dataclass(frozen=True)
class Decided:
    """The accepted lines in the order of the file, with what was decided about each."""

    lines: Lines
    kind: Kinds  # places in KINDS
    key: Int64
    matches: Matches

    def are(self, kind: LineKind) -> Flags:
        """Which lines are of a kind."""
        chosen: Flags = self.kind == KINDS.index(kind)
        return chosen

    def never_demand_by(self, day: int) -> Flags:
        """Which lines were known never to be demand before a day (an ordinal): the cancellation had come by then."""
        days = self.lines.days
        cancelling = np.flatnonzero(self.matches.never_demand & (self.matches.sale >= 0) & (days < day))
        known: Flags = np.zeros(len(self.lines), dtype=np.bool_)
        known[cancelling] = True
        known[self.matches.sale[cancelling]] = True
        return known


def decide(lines: Lines, *, format: Format, known: Int64, tally: Tally) -> Decided:
    """This function will classify lines, drop repetitions (also of the `known` keys) and match returns to sales."""
    classified = format.classify(lines)
    for place, refusal in enumerate(classified.refusals):
        _refuse(lines, (classified.kind == REFUSED) & (classified.refusal == place), refusal, tally)
    good = classified.kind != REFUSED
    lines, kind = lines.take(good), classified.kind[good]
    key = repeats.keys(lines)
    repeated = repeats.repeated(key, known=known)
    _refuse(lines, repeated, REPEATED, tally)
    lines, kind, key = lines.take(~repeated), kind[~repeated], key[~repeated]
    anonymous = np.array([code == "" for code in lines.customer_values], dtype=np.bool_)
    matches = matching.match(
        is_sale=kind == KINDS.index(LineKind.SALE),
        is_return=kind == KINDS.index(LineKind.RETURN),
        item=lines.sku.astype(np.int64),
        customer=np.where(anonymous[lines.customer], -1, lines.customer).astype(np.int64),
        quantity=lines.quantities,
        price=lines.prices,
        seconds=lines.seconds,
    )
    return Decided(lines, kind, key, matches)


def _refuse(lines: Lines, refused: Flags, refusal: Refusal, tally: Tally) -> None:
    places = np.flatnonzero(refused)
    if len(places):
        examples = [
            Rejection(int(lines.row[place]), refusal.reason, refusal.field, _value(lines, place, refusal), refusal.mend)
            for place in places[:EXAMPLES_PER_REASON].tolist()
        ]
        tally.add_many(refusal.reason, len(places), examples)


def _value(lines: Lines, place: int, refusal: Refusal) -> str:
    value: object
    match refusal.field:
        case "quantity":
            value = lines.quantity_values[lines.quantity[place]]
        case "unit_price":
            value = masters.price_of(lines.price_values[lines.price[place]])
        case "kind":
            value = lines.kind_values[lines.kind[place]]
        case _:
            value = lines.invoice_values[lines.invoice[place]]
    return shown(str(value))
