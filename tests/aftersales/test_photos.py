"""A photo is what its bytes are: pictures of three kinds are kept as they came, everything else is refused."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from aftersales import inspection, photos, pictures, showing
from aftersales.inspection import Finding, Grade, Verdict
from aftersales.photos import LARGEST_PHOTO, MOST_PHOTOS, NotAPhoto, ReturnPhoto
from aftersales.showing import PhotoUnknown
from scm.core.db import table_of
from tests.aftersales import snapshots
from tests.aftersales.desk import Desk


def inspected(desk: Desk, *shown: bytes) -> int:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 2), 1))
    [inspection_id] = inspect(desk, line, *shown)
    return inspection_id


def inspect(desk: Desk, line: int, *shown: bytes) -> list[int]:
    verdict = Verdict(return_line_id=line, quantity=1, grade=Grade.B, finding=Finding.NO_FAULT, photos=shown)
    return inspection.record(
        desk.world.begin(), [verdict], actor=desk.world.user("returns"), now=desk.world.now, today=desk.world.today
    )


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(snapshots.png(), "image/png"), (snapshots.jpeg(), "image/jpeg"), (snapshots.webp(), "image/webp")],
)
def test_a_picture_is_kept_with_its_verdict_as_it_came(desk: Desk, content: bytes, media_type: str) -> None:
    inspection_id = inspected(desk, content)
    [photo] = photos.of_inspections(desk.world.begin(), [inspection_id])[inspection_id]
    assert (photo.media_type, photo.size) == (media_type, len(content))
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    served = showing.photo(desk.world.begin(), photo_id=photo.id, site_id=desk.world.setup.site_id)
    assert (served.content, served.media_type) == (content, media_type)


@pytest.mark.parametrize("content", snapshots.PRETENDERS.values(), ids=snapshots.PRETENDERS.keys())
def test_what_is_no_picture_is_refused_and_nothing_is_inspected(desk: Desk, content: bytes) -> None:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 2), 1))
    with desk.world.refuses(NotAPhoto, match="photo 2 is no JPEG, PNG or WebP picture"):
        inspect(desk, line, snapshots.png(), content)


def test_a_picture_that_is_too_large_is_refused(desk: Desk) -> None:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 2), 1))
    with desk.world.refuses(NotAPhoto, match="5,242,881 bytes, 5,242,880 are the most"):
        inspect(desk, line, snapshots.png().ljust(LARGEST_PHOTO + 1, b"\0"))
    with desk.world.refuses(NotAPhoto, match="7 photos are too many"):
        inspect(desk, line, *[snapshots.png()] * (MOST_PHOTOS + 1))


def test_a_picture_that_unpacks_to_gigabytes_is_refused_without_being_unpacked(desk: Desk) -> None:
    assert len(snapshots.BOMB) < 10_000
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 2), 1))
    with desk.world.refuses(NotAPhoto, match="would unpack to 100,000 × 100,000 pixels"):
        inspect(desk, line, snapshots.BOMB)


@pytest.mark.parametrize("large", [snapshots.jpeg(60_000, 60_000), snapshots.webp(16_000, 16_000)])
def test_the_size_is_read_of_every_kind(large: bytes) -> None:
    found = pictures.recognise(large)
    assert found is not None
    assert found.pixels > photos.MOST_PIXELS


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"\xff\xd8\xff" + tail))
def test_whatever_bytes_come_they_are_read_to_an_end(content: bytes) -> None:
    found = pictures.recognise(content)
    assert found is None or found.pixels > 0


def test_a_photo_is_shown_at_its_own_site_only(desk: Desk) -> None:
    inspection_id = inspected(desk, snapshots.png())
    [photo] = photos.of_inspections(desk.world.begin(), [inspection_id])[inspection_id]
    with desk.world.refuses(PhotoUnknown, match=f"there is no photo {photo.id} here"):
        showing.photo(desk.world.begin(), photo_id=photo.id, site_id=desk.world.setup.site_id + 1)
    with desk.world.refuses(PhotoUnknown):
        showing.photo(desk.world.begin(), photo_id=photo.id + 1, site_id=desk.world.setup.site_id)


def test_a_photo_never_changes(desk: Desk) -> None:
    inspected(desk, snapshots.png())
    session = desk.world.begin()
    point = session.begin_nested()
    with pytest.raises(sa.exc.DBAPIError, match="a photo never changes"):
        session.execute(sa.update(table_of(ReturnPhoto)).values(media_type="text/html"))
    point.rollback()
