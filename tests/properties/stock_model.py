"""What the goods ledger should do, said once more with plain dictionaries and without a database.

Every verb first says what it will refuse, then changes the dictionaries. Ids of new rows are told by the real verbs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from scm.stock import ledger, reservations
from scm.stock.lots import NO_LOT, HoldReason

Key = tuple[int, int, int]  # item, place, lot


@dataclass
class Planned:
    """A stock move as the model knows it."""

    id: int
    item: int
    source: int
    destination: int
    quantity: int
    due: date
    onward: tuple[int, ...] = ()
    lot: int = NO_LOT
    over: int = 0
    state: str = "planned"
    allocated: bool = False
    previous: int | None = None
    reverses: int | None = None

    @property
    def key(self) -> Key:
        return (self.item, self.source, self.lot)


@dataclass(frozen=True)
class Wish:
    """What is said to have happened to a planned move."""

    move: int
    quantity: int
    source: int | None = None
    destination: int | None = None
    lot: int | None = None


@dataclass
class Model:
    """Places, lots and holds, what is where, and every move; promises in the order in which they were given."""

    area: int
    bins: tuple[int, ...]  # in the order of the pick path
    others: frozenset[int]  # places that are counted but are not storage
    losing: frozenset[int]
    there: Counter[Key] = field(default_factory=Counter)
    moves: dict[int, Planned] = field(default_factory=dict)
    promises: dict[int, None] = field(default_factory=dict)
    expiry: dict[int, date | None] = field(default_factory=dict)
    holds: set[tuple[int, HoldReason]] = field(default_factory=set)

    # What can be read off

    def is_held(self, lot: int) -> bool:
        return any(lot == held for held, _ in self.holds)

    def promisable(self, item: int) -> int:
        stored = ((i, p, lot) for (i, p, lot) in self.there if i == item and p in self.bins and not self.is_held(lot))
        return sum(self.there[key] for key in stored)

    def reserved(self, item: int) -> int:
        return sum(self.moves[m].quantity for m in self.promises if self.moves[m].item == item)

    def aside(self, key: Key) -> int:
        picks = (m for m in self.moves.values() if m.state == "planned" and m.allocated and m.key == key)
        return sum(m.quantity for m in picks)

    def planned(self) -> list[Planned]:
        return [m for m in self.moves.values() if m.state == "planned"]

    def waiting(self, items: Iterable[int]) -> list[Planned]:
        """Moves out of storage without a promise, the earliest due first."""
        wanted = set(items)
        open_moves = [
            m for m in self.planned() if m.source == self.area and m.item in wanted and m.id not in self.promises
        ]
        return sorted(open_moves, key=lambda m: (m.due, m.id))

    # Planning and posting

    def plan(self, move: Planned) -> None:
        self.moves[move.id] = move

    def post(self, wishes: Sequence[Wish]) -> list[tuple[Planned, bool]]:
        """The facts in the order wished, each with whether it is the move itself (True) or a child of it.

        The caller gives the facts their ids and calls `posted`.
        """
        facts = []
        left = {w.move: self.moves[w.move].quantity for w in wishes}
        done: set[int] = set()
        for wish in wishes:
            move = self.moves[wish.move]
            if move.state != "planned" or wish.move in done:
                raise ledger.NotPlanned
            if wish.quantity <= 0:
                raise ledger.BadQuantity
            if wish.quantity > left[wish.move] + (0 if move.allocated else move.over):
                raise ledger.TooMuch
            source, destination, lot = wish.source or move.source, wish.destination or move.destination, wish.lot
            if self.area in (source, destination) or source == destination:
                raise ledger.CannotPost
            if lot is not None and lot != move.lot and self._counted(source):
                raise ledger.CannotPost
            if move.allocated and source != move.source:
                raise ledger.CannotPost
            whole = wish.quantity >= left[wish.move]
            left[wish.move] -= wish.quantity
            if whole:
                done.add(wish.move)
            fact = replace(move, source=source, destination=destination, quantity=wish.quantity, state="posted")
            fact.lot = move.lot if lot is None else lot
            facts.append((fact, whole))
        self._refuse([(fact, wish.move) for (fact, _), wish in zip(facts, wishes, strict=True)])
        return facts

    def posted(self, fact: Planned, *, of: int, whole: bool) -> None:
        """A fact got its id: goods change place, promise and plan shrink."""
        if whole:
            self.promises.pop(of, None)
        else:
            self.moves[of].quantity -= fact.quantity
        self.moves[fact.id] = fact
        self._carry(fact)

    def next_leg(self, fact: Planned, leg_id: int) -> None:
        self.moves[leg_id] = replace(
            fact,
            id=leg_id,
            source=fact.destination,
            destination=fact.onward[0],
            onward=fact.onward[1:],
            state="planned",
            allocated=False,
            over=0,
            previous=fact.id,
        )

    def reverse(self, move_id: int) -> Planned:
        """The mirror, which the caller gives its id and passes to `reversed`."""
        fact = self.moves[move_id]
        undone = {m.reverses for m in self.moves.values()}
        if fact.state != "posted" or fact.reverses is not None or fact.id in undone:
            raise ledger.CannotReverse
        if any(m.previous == fact.id and m.state == "posted" and m.id not in undone for m in self.moves.values()):
            raise ledger.CannotReverse
        mirror = replace(fact, id=0, source=fact.destination, destination=fact.source, onward=(), allocated=False)
        mirror.reverses, mirror.previous = fact.id, None
        self._refuse([(mirror, None)])
        return mirror

    def reversed(self, mirror: Planned) -> None:
        for leg in self.planned():
            if leg.previous == mirror.reverses:
                self.cancel(leg.id)
        self.moves[mirror.id] = mirror
        self._carry(mirror)

    def cancel(self, move_id: int) -> None:
        if self.moves[move_id].state != "planned":
            raise ledger.NotPlanned
        self.moves[move_id].state, self.moves[move_id].allocated = "cancelled", False
        self.promises.pop(move_id, None)

    def _counted(self, place: int) -> bool:
        return place in self.bins or place in self.others

    def _loses(self, fact: Planned) -> bool:
        return fact.destination in self.losing or fact.reverses is not None

    def _refuse(self, facts: Sequence[tuple[Planned, int | None]]) -> None:
        """Refuse what would take goods that are not there, or that are others'."""
        after, picked, promised = self.there.copy(), Counter[Key](), Counter[int]()
        left = {m: self.moves[m].quantity for m in self.promises}
        for fact, move_id in facts:
            if self._counted(fact.source):
                after[fact.key] -= fact.quantity
            if fact.allocated:
                picked[fact.key] += fact.quantity
            if move_id is not None:
                ended = min(left.get(move_id, 0), fact.quantity)
                promised[fact.item] += ended
                left[move_id] = left.get(move_id, 0) - ended
        if any(quantity < 0 for quantity in after.values()):
            raise ledger.NotEnoughStock
        for fact, _ in facts:
            if self._counted(fact.destination):
                after[fact.item, fact.destination, fact.lot] += fact.quantity
        for fact, move_id in facts:
            if self._loses(fact) or fact.source not in self.bins:
                continue
            if not fact.allocated and after[fact.key] < self.aside(fact.key) - picked[fact.key]:
                raise ledger.StockSetAside
            stored = Model.promisable(replace(self, there=after), fact.item)
            leaves = fact.destination not in self.bins and not self.is_held(fact.lot)
            if leaves and move_id not in self.promises and stored < self.reserved(fact.item) - promised[fact.item]:
                raise ledger.StockSetAside

    def _carry(self, fact: Planned) -> None:
        if self._counted(fact.source):
            self.there[fact.key] -= fact.quantity
        if self._counted(fact.destination):
            self.there[fact.item, fact.destination, fact.lot] += fact.quantity

    def give_way(self, facts: Sequence[Planned]) -> None:
        """Lost goods take picks back, then promises, the newest first."""
        for fact in facts:
            if self._loses(fact) and self._counted(fact.source):
                self._take_back(fact.key, leave=self.there[fact.key])
        for item in {fact.item for fact in facts}:
            self._give_back(item)

    def _take_back(self, key: Key, *, leave: int) -> None:
        for move in sorted(self.planned(), key=lambda m: -m.id):
            if move.allocated and move.key == key and self.aside(key) > leave:
                move.source, move.lot, move.allocated = self.area, NO_LOT, False

    def _give_back(self, item: int) -> None:
        for move_id in reversed(list(self.promises)):
            move = self.moves[move_id]
            if move.item == item and not move.allocated and self.reserved(item) > self.promisable(item):
                del self.promises[move_id]

    # Promises and picks

    def reserve(self, move_ids: Sequence[int], *, all_or_nothing: bool) -> list[tuple[int, int]]:
        """What each move gets: (reserved, waiting). The caller names the children and calls `promised`."""
        wanted = [self.moves[move_id] for move_id in move_ids]
        if any(move.state != "planned" or move.source not in (self.area, *self.bins) for move in wanted):
            raise reservations.CannotReserve
        free = {move.item: self.promisable(move.item) - self.reserved(move.item) for move in wanted}
        shares = []
        for move in wanted:
            if move.id in self.promises:
                shares.append((move.quantity, 0))
                continue
            given = min(move.quantity, free[move.item])
            if given < move.quantity and all_or_nothing:
                raise reservations.NotEnoughToPromise
            free[move.item] -= given
            shares.append((given, move.quantity - given))
        return shares

    def promised(self, shares: Sequence[tuple[int, int, int, int | None]]) -> None:
        """`shares` is (move, reserved, waiting, id of the reserved move). Whole moves were promised first."""
        for move_id, _, waiting, _ in shares:
            if not waiting:
                self.promises.setdefault(move_id)
        for move_id, given, waiting, child in shares:
            if given and waiting:
                assert child is not None
                self.moves[child] = replace(self.moves[move_id], id=child, quantity=given, over=0)
                self.moves[move_id].quantity = waiting
                self.promises[child] = None

    def bins_for(self, move_id: int, *, today: date) -> tuple[list[tuple[int, int, int]], int]:
        """The picks (bin, lot, quantity) a promised move should become, first expired first, and what is short."""
        move, picks = self.moves[move_id], []
        need = move.quantity

        def order(key: Key) -> tuple[bool, date, int, int]:
            expiry = self.expiry.get(key[2])
            return (expiry is None, expiry or date.max, self.bins.index(key[1]), key[2])

        def usable(key: Key) -> bool:
            expiry = self.expiry.get(key[2])
            expired = expiry is not None and expiry < today
            return key[0] == move.item and key[1] in self.bins and not self.is_held(key[2]) and not expired

        for key in sorted(filter(usable, self.there), key=order):
            given = min(need, self.there[key] - self.aside(key))
            if given > 0:
                picks.append((key[1], key[2], given))
                need -= given
        return picks, need

    def hold(self, lot: int, reason: HoldReason) -> None:
        known = self.is_held(lot)
        self.holds.add((lot, reason))
        if not known:
            for key in [k for k in self.there if k[2] == lot and k[1] in self.bins]:
                self._take_back(key, leave=0)
                self._give_back(key[0])
