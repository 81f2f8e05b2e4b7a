"""What the rooms say is said in Chinese: every refusal, every message of a plan, every error of a row."""

from __future__ import annotations

import re
from typing import Any

import pytest

from procurement.purchase_orders import MACHINE, PurchaseOrderState
from scm.core.documents import IllegalTransition
from scm.core.errors import Conflict
from scm.loop.cycle import PlanFailed
from scm.stock.facts import TooMuch
from tests.words import catalogue, vocabulary
from web.i18n import refusals
from web.i18n.refusals import CATALOGUE, Entry, Phrasebook

CHINESE = catalogue.FOLDER / "zh_CN"
HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")
HOW = {None, "word", "words", "text"}


@pytest.fixture(scope="module")
def chinese() -> Phrasebook:
    return refusals.phrasebook(CHINESE)


def test_every_text_has_its_chinese_and_no_entry_is_left_over() -> None:
    known = {str(message.id): message for message in catalogue.read(CHINESE / CATALOGUE) if message.context is None}
    known.pop("", None)
    spoken = catalogue.spoken()
    missing = sorted(
        f"{' '.join(sorted(by))} | {text}" for text, by in spoken.items() if not known.get(text, _NONE).string
    )
    assert not missing, "no Chinese yet: python -m tests.words.catalogue adds these entries:\n" + "\n".join(missing)
    assert not sorted(set(known) - set(spoken)), "nothing says these any more"
    stale = [text for text, by in spoken.items() if " ".join(sorted(by)) not in known[text].auto_comments]
    assert not stale, "others say these now"


def test_every_translation_fills_the_same_holes(chinese: Phrasebook) -> None:
    for entry in chinese.entries:
        theirs, ours = HOLE.findall(entry.translation), HOLE.findall(entry.msgid)
        assert sorted(name for name, _ in theirs) == sorted(name for name, _ in ours), entry.msgid
        assert {how or None for _, how in theirs} <= HOW, entry.translation
        assert re.search(r"[\u4e00-\u9fff]", entry.translation), f"{entry.translation} is no Chinese"


def test_every_text_is_recognised_as_itself_by_those_who_say_it(chinese: Phrasebook) -> None:
    wrong = []
    for entry in chinese.entries:
        sample, values = _sample(entry)
        for name in entry.by:
            said = chinese._said(sample, chinese._of(name))
            if said != chinese._filled(entry.translation, values):
                wrong.append(f"{name} says {sample!r} as {said!r}")
    assert not wrong, "\n".join(wrong)


def test_a_stored_text_is_recognised_without_its_class(chinese: Phrasebook) -> None:
    wrong = []
    for entry in chinese._distinct:
        sample, values = _sample(entry)
        said = chinese.text(sample)
        if said != chinese._filled(entry.translation, values):
            wrong.append(f"{sample!r} is said as {said!r}")
    assert not wrong, "\n".join(wrong)


def test_every_state_action_and_kind_has_its_word(chinese: Phrasebook) -> None:
    missing = vocabulary.words() - set(chinese.words)
    assert not missing, sorted(missing)


def test_a_refusal_is_said_with_its_numbers_states_and_actions(chinese: Phrasebook) -> None:
    with pytest.raises(IllegalTransition) as refused:
        MACHINE.advance(PurchaseOrderState.DRAFT, "approve", number="PO-2026-00017")
    said = chinese.refusal(refused.value)
    assert said.startswith("PO-2026-00017 的状态为草稿：不能批准，可以取消")
    assert not re.search(r"draft|approve|submit|cancel", said)


def test_what_a_hole_holds_is_said_in_chinese_too(chinese: Phrasebook) -> None:
    error = TooMuch(
        "move 7 (purchase_order 3 line 4): 60 is more than the 50 still planned: "
        "post less, or change the document first"
    )
    assert (
        chinese.refusal(error) == "移动 7（采购订单 3 第 4 行）：60 超过尚在计划中的 50：请减少过账数量，或先修改单据"
    )
    failed = PlanFailed(
        "the plan as of 2026-11-20 could not be made: item BOLT: unit_price[3] is nan: every value must be a number; "
        "nothing is published, the last plan stays"
    )
    assert "商品 BOLT：unit_price[3] 的值为 nan：每个值都必须是数字" in chinese.refusal(failed)


def test_what_nobody_is_known_to_say_stays_as_it_is(chinese: Phrasebook) -> None:
    assert chinese.refusal(Conflict("a text of nobody: 5 pieces")) == "a text of nobody: 5 pieces"
    assert (
        chinese.text("Paula: please expedite, supplier ACME is late") == "Paula: please expedite, supplier ACME is late"
    )
    assert Phrasebook().text("PO-1 is not approved") == "PO-1 is not approved"


def test_a_hole_that_holds_data_is_never_translated(chinese: Phrasebook) -> None:
    assert chinese.text("the user name draft is taken: choose another") == "用户名 draft 已被占用：请换一个"


def _sample(entry: Entry) -> tuple[str, dict[str, str]]:
    values = {name: f"«{place}-{name}»" for place, (name, _) in enumerate(HOLE.findall(entry.msgid))}
    return entry.msgid.format(**values), values


class _Nothing:
    string = ""


_NONE: Any = _Nothing()
