"""How texts are found in the source: each way to build one is read as the sentences a person would see."""

from __future__ import annotations

import textwrap

import pytest

from tests.words import reading


def sentences(source: str) -> list[str]:
    """What the only call of `Refused` in a source can say."""
    module = reading.parsed(textwrap.dedent(source), path="sample.py")
    (call, scope), *_ = module.calls["Refused"]
    return [reading.template(text) for text in reading.wordings(call.args[0], scope)]


def test_what_only_the_program_knows_becomes_a_hole_with_a_telling_name() -> None:
    assert sentences(
        """
        def act(order, lines, names, text):
            raise Refused(f"{order.number}: {len(lines)} of {', '.join(names)}, {text[:40]!r}, {order.state.value}")
        """
    ) == ["{number}: {count_of_lines} of {names}, {text}, {state}"]


def test_a_choice_of_words_is_a_sentence_for_each() -> None:
    assert sentences(
        """
        def act(order, several):
            what = "these orders" if several else f"order {order.number}"
            raise Refused(f"{what} cannot be packed" + (": pick them first" if several else ""))
        """
    ) == [
        "these orders cannot be packed: pick them first",
        "these orders cannot be packed",
        "order {number} cannot be packed: pick them first",
        "order {number} cannot be packed",
    ]


def test_names_helpers_and_parameters_are_followed_through_the_module() -> None:
    assert sentences(
        """
        def reject(reason): _need(reason, doing="rejecting")
        def cancel(reason): _need(reason, doing="cancelling")

        def _need(reason, *, doing):
            raise Refused(f"{doing} {_named(reason)} needs a reason")

        def _named(order):
            return f"order {order.number}"
        """
    ) == ["rejecting order {number} needs a reason", "cancelling order {number} needs a reason"]


def test_a_figure_given_by_a_name_stays_a_hole() -> None:
    assert sentences(
        """
        LONGEST = 200

        def act(key):
            size = len(key)
            raise Refused(f"the key has {size} signs, {LONGEST} at most; {key} and {key}")
        """
    ) == ["the key has {size} signs, {longest} at most; {key} and {key_2}"]


def test_a_text_in_too_many_wordings_is_refused() -> None:
    choices = " + ".join(f"('this ' if a{n} else 'that ')" for n in range(6))
    with pytest.raises(reading.TooManyWordings, match="wordings of one text"):
        sentences(f"def act(): raise Refused({choices})")


def test_every_file_of_a_room_is_read() -> None:
    paths = {module.path for module in reading.modules(("warehouse", "aftersales"))}
    assert {"warehouse/packing.py", "aftersales/returns.py"} <= paths
