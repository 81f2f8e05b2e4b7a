"""The catalogues of the pages: every text has one Chinese, with its placeholders, written as Chinese is written."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tests.words import catalogue, web_texts
from tests.words.web_texts import Key
from web.i18n.refusals import CATALOGUE

FOLDER = catalogue.FOLDER / "zh_CN"
AREAS = sorted(path for path in FOLDER.glob("*.po"))
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|%[sd]|\{(\w*)[:!}]")
HAN = r"[\u4e00-\u9fff]"
ENDS = r"(?![A-Za-z0-9_])"
HALF_WIDTH = re.compile(rf"{HAN}\s?[,;!?]{ENDS}|{HAN}\s?:(?!/){ENDS}|{HAN}\.{ENDS}|{HAN}\s?\(|\)\s?{HAN}")
SPACED = re.compile(r"\s[，。：；！？）]|[（]\s|[，。；！？]\s(?=\S)")
AVOIDED = {
    "股票": "库存",
    "股份": "库存",
    "供货商": "供应商",
    "定单": "订单",
    "定购": "订购",
    "帐": "账",
    "登陆": "登录",
    "阀值": "阈值",
    "其它": "其他",
    "缺省": "默认",
    "部份": "部分",
    # One word for one thing, as in docs/glossary.md.
    "物料": "商品",
    "货品": "商品",
    "货位": "库位",
    "储位": "库位",
    "仓点": "仓库",
    "站点": "仓库",
    "收货口": "月台",
    "收货区": "月台",
    "采纳": "接受",
    "最小订量": "最小起订量",
    "假定": "假设",
    "作业": "任务",
    "场地": "仓库",
    "不明包裹": "无主包裹",
    "保障期": "保护期",
    "退货授权": "退货单",
    "你": "您",
}
"""Words that are wrong or another's, and what this product says."""


def messages(path: Path) -> list[Message]:
    """The entries of a catalogue, its header left out."""
    return [message for message in catalogue.read(path) if message.id]


def key_of(message: Message) -> Key:
    """What gettext looks an entry up by."""
    if isinstance(message.id, tuple | list):
        return Key(message.context, message.id[0], message.id[1])
    return Key(message.context, message.id)


def translations(message: Message) -> list[str]:
    """The texts of an entry: one for each plural form."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def test_every_text_of_the_pages_has_its_chinese() -> None:
    pages = [path for path in AREAS if path.name != CATALOGUE]
    translated = [message for path in pages for message in messages(path) if all(translations(message))]
    known = {(key.context, key.msgid) for key in map(key_of, translated)}
    missing = [
        f"{places[0]}: {key.msgid!r}"
        for key, places in web_texts.used().items()
        if (key.context, key.msgid) not in known
    ]
    assert not missing, "no Chinese:\n" + "\n".join(sorted(missing))


def test_no_catalogue_keeps_what_no_page_says() -> None:
    said = {(key.context, key.msgid) for key in web_texts.used()}
    left = [
        f"{path.name}: {key.msgid!r}"
        for path in AREAS
        if path.name != CATALOGUE
        for message in messages(path)
        if ((key := key_of(message)).context, key.msgid) not in said
    ]
    assert not left, "no page says these:\n" + "\n".join(left)


def test_one_text_has_one_chinese() -> None:
    found: dict[tuple[str | None, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in (path for path in AREAS if path.name != CATALOGUE):
        for message in messages(path):
            key = key_of(message)
            found[key.context, key.msgid]["\n".join(translations(message))].add(path.name)
    differing = [
        f"{msgid!r}: " + " / ".join(f"{said} ({', '.join(sorted(names))})" for said, names in ways.items())
        for (_, msgid), ways in found.items()
        if len(ways) > 1
    ]
    assert not differing, "said in two ways; give one a context or agree:\n" + "\n".join(differing)


@pytest.mark.parametrize("path", AREAS, ids=lambda path: str(path.name))
def test_a_catalogue_is_in_good_order(path: Path) -> None:
    read = catalogue.read(path)
    assert not list(read.obsolete.values()), "obsolete entries"
    assert not [message.id for message in read if message.id and message.fuzzy], "fuzzy entries"
    assert not [message.id for message in messages(path) if not all(translations(message))], "empty translations"
    assert re.search(r"^\"?Content-Type: text/plain; charset=utf-8", path.read_text(encoding="utf-8"), re.M | re.I)


@pytest.mark.parametrize("path", AREAS, ids=lambda path: str(path.name))
def test_placeholders_and_plural_forms_agree(path: Path) -> None:
    wrong = []
    for message in messages(path):
        key = key_of(message)
        given = set(PLACEHOLDER.findall(key.msgid)) | set(PLACEHOLDER.findall(key.plural or ""))
        for text in translations(message):
            if set(PLACEHOLDER.findall(text)) != given:
                wrong.append(f"{key.msgid!r} → {text!r}")
        if key.plural is not None and len(translations(message)) != 1:
            wrong.append(f"{key.msgid!r} has {len(translations(message))} plural forms; Chinese has 1")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", AREAS, ids=lambda path: str(path.name))
def test_chinese_is_written_with_its_own_marks_and_words(path: Path) -> None:
    wrong = []
    for message in messages(path):
        for text in translations(message):
            shown = re.sub(r"%\(\w+\)[a-z]|%[sd]", "0", text)
            plain = text.replace("物料清单", "")  # what a bill of materials is called everywhere
            wrong += [f"{text!r}: a half-width mark in {found.group()!r}" for found in HALF_WIDTH.finditer(shown)]
            wrong += [f"{text!r}: a space beside the mark in {found.group()!r}" for found in SPACED.finditer(shown)]
            wrong += [f"{text!r}: say {better}, not {word}" for word, better in AVOIDED.items() if word in plain]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text", ["库存不足,请补货", "共 3 行: 全部", "完成.", "批次 (可选)", "(必填)数量", "股票", "稍候..."]
)
def test_the_reader_of_chinese_finds_faults(text: str) -> None:
    assert HALF_WIDTH.search(text) or any(word in text for word in AVOIDED)


@pytest.mark.parametrize(
    "text", ["库存 12 件，请补货：SKU BOLT（M6）", "09:30 前", "https://例子.cn", "占 45.5%", "周转天数（DIO）"]
)
def test_the_reader_of_chinese_accepts_good_writing(text: str) -> None:
    assert not HALF_WIDTH.search(text) and not SPACED.search(text)
