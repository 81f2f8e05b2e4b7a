"""How the world behaves: the distributions behind suppliers, carrier, crew and people, in one place.

All figures are assumptions of the simulation and say nothing about the retailer whose lines are replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from scm.loop.world import chance


@dataclass(frozen=True, kw_only=True)
class Temper:
    """The world's habits. `delay_factors` multiplies the lead times of suppliers named by their code."""

    seed: int
    delay_factors: Mapping[str, float] = field(default_factory=dict)
    lead_time_spread: float = 0.18  # sigma of the log of actual over agreed lead time
    short_delivery_rate: float = 0.04
    over_delivery_rate: float = 0.02
    late_carrier_rate: float = 0.06
    short_pick_rate: float = 0.004
    patience_days: int = 9  # how long a customer waits for a backorder, at most
    loss_rate: float = 0.02  # share of counted bins in which goods are missing
    grade_shares: tuple[float, float, float, float] = (0.62, 0.2, 0.1, 0.08)  # A, B, C, D
    supplier_defect_rate: float = 0.3  # of the damaged returns

    def lead_time_days(self, *, supplier_code: str, order_number: str, agreed_days: int) -> int:
        """This function will draw how long a supplier really takes for an order, the same whenever it is asked."""
        draw = chance.stream(self.seed, "lead time", supplier_code, order_number)
        ratio = float(np.exp(draw.normal(0.0, self.lead_time_spread)))
        factor = self.delay_factors.get(supplier_code, 1.0)
        return max(1, round(agreed_days * ratio * factor))

    def delivered_quantity(self, *, move_id: int, ordered: int, over_quantity: int) -> int:
        """This function will draw how much of a line arrives: all of it, a part, or a little more."""
        draw = chance.stream(self.seed, "delivered", move_id)
        luck = float(draw.random())
        if luck < self.short_delivery_rate and ordered > 1:
            return max(1, int(ordered * float(draw.uniform(0.7, 0.97))))
        if luck > 1 - self.over_delivery_rate:
            return ordered + int(draw.integers(0, over_quantity + 1))
        return ordered

    def transit_days(self, *, shipment_number: str, promised_days: int) -> int:
        """This function will draw the carrier's days on the road."""
        draw = chance.stream(self.seed, "transit", shipment_number)
        late = float(draw.random()) < self.late_carrier_rate
        return promised_days + (int(draw.integers(1, 4)) if late else -int(draw.integers(0, 2)))

    def picked_quantity(self, *, move_id: int, quantity: int) -> int:
        """This function will draw what a picker finds in the bin."""
        draw = chance.stream(self.seed, "pick", move_id)
        return quantity - 1 if float(draw.random()) < self.short_pick_rate else quantity

    def patience(self, *, order_number: str) -> int:
        """This function will draw how many days a customer waits for the rest of an order."""
        return int(chance.stream(self.seed, "patience", order_number).integers(3, self.patience_days + 1))

    def missing(self, *, bin_id: int, day: str, on_hand: int) -> int:
        """This function will draw how many units a count finds missing."""
        draw = chance.stream(self.seed, "missing", bin_id, day)
        return min(on_hand, int(draw.integers(1, 4))) if float(draw.random()) < self.loss_rate else 0
