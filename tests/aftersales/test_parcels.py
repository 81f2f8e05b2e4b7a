"""A parcel nobody expects is written down, and leaves the queue once: matched to a return, or disposed of."""

from __future__ import annotations

import pytest

from aftersales import parcels, photos, returns, showing
from aftersales.parcels import MACHINE, BadParcel, CannotMatch, ParcelState, ParcelUnknown
from aftersales.photos import NotAPhoto
from aftersales.returns import MoreThanDelivered
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from tests.aftersales import snapshots
from tests.aftersales.desk import Desk


def record(desk: Desk, *shown: bytes, contents: str = "a blue mug", username: str = "returns") -> int:
    return parcels.record(
        desk.world.begin(),
        site_id=desk.world.setup.site_id,
        label=" 1Z999 ",
        sender="somebody in Leeds",
        contents=contents,
        pictures=shown,
        actor=desk.world.user(username),
        now=desk.world.now,
        today=desk.world.today,
    )


def match(desk: Desk, parcel_id: int, return_id: int) -> None:
    parcels.match(
        desk.world.begin(),
        parcel_id=parcel_id,
        return_id=return_id,
        actor=desk.world.user("returns"),
        now=desk.world.now,
    )


def dispose(desk: Desk, parcel_id: int, reason: str = "sent back") -> None:
    parcels.dispose(
        desk.world.begin(), parcel_id=parcel_id, reason=reason, actor=desk.world.user("returns"), now=desk.world.now
    )


def test_what_arrived_is_written_down_with_its_photo(desk: Desk) -> None:
    parcel_id = record(desk, snapshots.jpeg())
    [parcel] = showing.parcels_waiting(desk.world.begin(), site_id=desk.world.setup.site_id)
    assert (parcel.id, parcel.label, parcel.contents) == (parcel_id, "1Z999", "a blue mug")
    assert parcel.number.startswith("UP-2026-")
    assert [photo.media_type for photo in parcel.photos] == ["image/jpeg"]
    assert photos.of_parcels(desk.world.begin(), [parcel_id])[parcel_id] == list(parcel.photos)
    [photo] = parcel.photos
    assert showing.photo(desk.world.begin(), photo_id=photo.id, site_id=parcel.site_id).content == snapshots.jpeg()


def test_a_parcel_is_matched_to_the_return_that_expects_it(desk: Desk) -> None:
    parcel_id = record(desk)
    return_id = desk.authorize(desk.delivered(desk.world.item("mug"), 2), 1)
    match(desk, parcel_id, return_id)
    assert parcels.lock(desk.world.begin(), parcel_id).return_id == return_id
    assert showing.parcels_waiting(desk.world.begin(), site_id=desk.world.setup.site_id) == []


def test_a_parcel_is_matched_to_an_order_by_authorizing_what_is_in_it(desk: Desk) -> None:
    parcel_id = record(desk)
    line = desk.delivered(desk.world.item("mug"), 2)
    return_id = parcels.match_sale(
        desk.world.begin(),
        [desk.request(line, 2)],
        parcel_id=parcel_id,
        actor=desk.world.user("returns"),
        now=desk.world.now,
        today=desk.world.today,
    )
    assert desk.status(return_id).expected == 2
    assert parcels.lock(desk.world.begin(), parcel_id).state is ParcelState.MATCHED
    with desk.world.refuses(MoreThanDelivered):
        parcels.match_sale(
            desk.world.begin(),
            [desk.request(line, 1)],
            parcel_id=record(desk),
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )


def test_a_return_that_expects_nothing_takes_no_parcel(desk: Desk) -> None:
    parcel_id = record(desk)
    return_id = desk.authorize(desk.delivered(desk.world.item("mug"), 2), 1)
    desk.receive(return_id)
    with desk.world.refuses(CannotMatch, match="expects nothing any more"):
        match(desk, parcel_id, return_id)


def test_disposing_of_a_parcel_needs_a_reason(desk: Desk) -> None:
    parcel_id = record(desk)
    with desk.world.refuses(BadParcel, match="what was done with it and why"):
        dispose(desk, parcel_id, "  ")
    dispose(desk, parcel_id)
    assert parcels.lock(desk.world.begin(), parcel_id).reason == "sent back"


@pytest.mark.parametrize("state", ParcelState)
@pytest.mark.parametrize("action", MACHINE.actions)
def test_a_parcel_is_settled_once(desk: Desk, state: ParcelState, action: str) -> None:
    parcel_id = record(desk)
    return_id = desk.authorize(desk.delivered(desk.world.item("mug"), 2), 1)
    verbs = {"match": lambda: match(desk, parcel_id, return_id), "dispose": lambda: dispose(desk, parcel_id)}
    assert set(verbs) == set(MACHINE.actions)
    for before in verbs:
        if MACHINE.transitions[ParcelState.WAITING, before] is state:
            verbs[before]()
    if state is ParcelState.WAITING:
        verbs[action]()
        assert parcels.lock(desk.world.begin(), parcel_id).state is MACHINE.transitions[state, action]
    else:
        with desk.world.refuses(IllegalTransition, match=r"UP-2026-\d+ is "):
            verbs[action]()


def test_malformed_parcels_are_refused(desk: Desk) -> None:
    for contents in ("", "   ", "x" * 401):
        with desk.world.refuses(BadParcel):
            record(desk, contents=contents)
    with desk.world.refuses(NotAPhoto):
        record(desk, b"<svg/>")
    with desk.world.refuses(ParcelUnknown, match="999999"):
        dispose(desk, 999999)


@pytest.mark.parametrize("username", ["planner", "buyer", "approver", "sales"])
def test_only_the_desk_and_the_warehouse_handle_parcels(desk: Desk, username: str) -> None:
    with desk.world.refuses(RoleMissing):
        record(desk, username=username)


def test_a_cancelled_return_takes_no_parcel(desk: Desk) -> None:
    parcel_id = record(desk)
    return_id = desk.authorize(desk.delivered(desk.world.item("mug"), 2), 1)
    returns.cancel(desk.world.begin(), [return_id], reason="-", actor=desk.world.user("returns"))
    with desk.world.refuses(CannotMatch):
        match(desk, parcel_id, return_id)
