"""What people do about exceptions: it hides them, hands them over or explains them, and never closes them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.core.audit import AuditRow
from scm.core.users import Role
from scm.loop.exceptions import answers, inbox
from scm.loop.exceptions.answers import BadAnswer, NotTheirDesk, NotYourDesk
from scm.loop.exceptions.cases import CaseUnknown, EntryAction, ExceptionCase, ExceptionEntry
from scm.loop.exceptions.findings import Kind
from scm.loop.exceptions.inbox import CaseRow
from tests.inbox.office import Office
from tests.world import World


@pytest.fixture
def row(world: World, office: Office) -> CaseRow:
    item = world.item("bolt")
    world.agreement(item, world.supplier("works"))
    world.demand(item, 5)
    return office.row(Kind.STOCK_OUT)


def shown(office: Office) -> list[str]:
    return office.labels(Kind.STOCK_OUT)


def test_what_is_put_off_comes_back_on_its_day(world: World, office: Office, row: CaseRow) -> None:
    answers.snooze(
        world.begin(),
        [row.id],
        site_id=world.setup.site_id,
        until=world.day(3),
        comment="waiting for the supplier's date",
        actor=world.user("planner"),
        now=world.now,
        today=world.today,
    )
    assert shown(office) == []
    assert office.inbox().put_off == 1
    world.pass_days(2)
    assert shown(office) == []
    world.pass_days(1)
    assert shown(office) == ["bolt"]
    [back] = office.inbox().snoozed_until_today
    assert (back.label, back.snooze_comment) == ("bolt", "waiting for the supplier's date")
    world.pass_days(1)
    assert shown(office) == ["bolt"]
    assert office.inbox().snoozed_until_today == ()


def test_what_is_accepted_stays_away_until_it_gets_much_worse(world: World, office: Office, row: CaseRow) -> None:
    answers.accept(
        world.begin(),
        [row.id],
        site_id=world.setup.site_id,
        reason="the customer can wait",
        actor=world.user("planner"),
        now=world.now,
    )
    assert shown(office) == []
    assert office.inbox().accepted == 1
    world.demand(row.subject_id, 2)  # seven instead of five
    assert shown(office) == []
    world.demand(row.subject_id, 1)
    assert shown(office) == ["bolt"]


def test_what_was_put_away_can_be_brought_back(world: World, office: Office, row: CaseRow) -> None:
    planner, site_id = world.user("planner"), world.setup.site_id
    answers.accept(world.begin(), [row.id], site_id=site_id, reason="fine", actor=planner, now=world.now)
    [away] = inbox.hidden(world.begin(), site_id=site_id, kinds={Kind.STOCK_OUT}, today=world.today)
    assert away.accepted_reason == "fine"
    answers.wake(world.begin(), [row.id], site_id=site_id, actor=planner, now=world.now)
    assert shown(office) == ["bolt"]


def test_a_case_tells_its_story_and_who_could_take_it(world: World, office: Office, row: CaseRow) -> None:
    planner, site_id = world.user("planner"), world.setup.site_id
    answers.comment(world.begin(), [row.id], site_id=site_id, text="called them", actor=planner, now=world.now)
    answers.hand_over(
        world.begin(), [row.id], site_id=site_id, to_username="planner", text="mine", actor=planner, now=world.now
    )
    found = inbox.case(world.begin(), row.id, site_id=site_id, kinds={Kind.STOCK_OUT}, today=world.today)
    assert [(entry.action, entry.text) for entry in found.entries] == [
        (EntryAction.COMMENT, "called them"),
        (EntryAction.HAND_OVER, "mine"),
    ]
    assert found.row.owner == found.entries[1].to_user
    assert [username for username, _ in found.colleagues] == ["planner"]
    verbs = world.begin().scalars(sa.select(AuditRow.verb).where(AuditRow.document_kind == "exception_case"))
    assert list(verbs) == ["exception.comment", "exception.hand_over"]


def test_answers_need_their_words_their_date_and_their_desk(world: World, office: Office, row: CaseRow) -> None:
    planner, site_id = world.user("planner"), world.setup.site_id
    with world.refuses(BadAnswer, match="not after today") as session:
        answers.snooze(
            session,
            [row.id],
            site_id=site_id,
            until=world.today,
            comment="later",
            actor=planner,
            now=world.now,
            today=world.today,
        )
    with world.refuses(BadAnswer, match="needs words") as session:
        answers.accept(session, [row.id], site_id=site_id, reason=" ", actor=planner, now=world.now)
    with world.refuses(BadAnswer, match="401 characters") as session:
        answers.comment(session, [row.id], site_id=site_id, text="x" * 401, actor=planner, now=world.now)
    with world.refuses(NotYourDesk, match="needs planner") as session:
        answers.accept(session, [row.id], site_id=site_id, reason="x", actor=world.user("warehouse"), now=world.now)
    for username in ("warehouse", "nobody"):
        with world.refuses(NotTheirDesk, match=username) as session:
            answers.hand_over(session, [row.id], site_id=site_id, to_username=username, actor=planner, now=world.now)
    with world.refuses(CaseUnknown, match="load the page again") as session:
        answers.wake(session, [row.id], site_id=site_id + 1, actor=planner, now=world.now)


def test_a_cause_that_comes_back_is_a_new_case(world: World, office: Office, row: CaseRow) -> None:
    answers.accept(
        world.begin(),
        [row.id],
        site_id=world.setup.site_id,
        reason="fine",
        actor=world.user("planner"),
        now=world.now,
    )
    world.stock(row.subject_id, 5)
    world.pass_days(1)
    office.look()
    world.demand(row.subject_id, 3)
    again = office.row(Kind.STOCK_OUT)
    assert again.id != row.id and again.first_seen_date == world.today
    old, new = office.stored(Kind.STOCK_OUT)
    assert (old.closed_date, new.closed_date) == (world.today, None)


def test_looking_again_changes_nothing(world: World, office: Office, row: CaseRow) -> None:
    before = world.everything()
    assert (office.look().opened, office.look().closed) == (0, 0)
    assert world.everything() == before


def test_new_is_what_the_previous_working_day_did_not_show(world: World, office: Office, row: CaseRow) -> None:
    assert row.new  # a Monday: new since Friday
    assert office.inbox().new == 1
    world.pass_days(1)
    assert not office.row(Kind.STOCK_OUT).new
    assert (office.inbox().count, office.inbox().new) == (1, 0)


def test_everybody_sees_only_their_desk(world: World, office: Office, row: CaseRow) -> None:
    assert office.inbox("planner").count == 1
    assert office.inbox("warehouse").count == office.inbox("approver").count == 0
    assert Role.PLANNER in world.user("planner").roles


def test_what_was_said_never_changes(world: World, office: Office, row: CaseRow) -> None:
    answers.comment(
        world.begin(),
        [row.id],
        site_id=world.setup.site_id,
        text="called them",
        actor=world.user("planner"),
        now=world.now,
    )
    session = world.begin()
    with pytest.raises(sa.exc.IntegrityError, match="never changes"), session.begin_nested():
        session.execute(sa.update(ExceptionEntry).values(text="did not"))


def test_reading_the_inbox_takes_as_many_queries_for_many_cases_as_for_few(world: World, office: Office) -> None:
    def queries() -> int:
        session = world.begin()
        asked: list[str] = []

        def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
            asked.append(statement)

        engine = session.get_bind().engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            office.inbox()
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    few = queries()
    supplier = world.supplier("works")
    for item in world.items(40):
        world.agreement(item, supplier)
        world.demand(item, 1)
    office.look()
    found = office.inbox()
    assert found.count == 40 and len(found.groups[0].rows) == inbox.ROWS_A_GROUP
    assert queries() == few <= 8
    assert world.begin().scalar(sa.select(sa.func.count(ExceptionCase.id))) == 40
