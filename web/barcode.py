"""Code 128 as bars of an SVG: what a label prints so that the next scanner can read it."""

from __future__ import annotations

# Widths of bars and spaces in turn, six a symbol (ISO/IEC 15417, table 1); the last symbol, the stop, has seven.
_WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "1143114111134113111131411141313111414111312114122112142112322331112"
)
_START_B, _STOP = 104, 106
HEIGHT = 40


class NotPrintable(ValueError):
    """Code set B holds printable ASCII only."""


def symbols(text: str) -> list[int]:
    """This function will give the symbols of a text in code set B, from the start to the stop.

    The check symbol is the sum of every value times its place, modulo 103.

    >>> symbols("PJJ123C")[-2]
    55
    """
    values = [ord(letter) - 32 for letter in text]
    if not text or any(not 0 <= value <= 94 for value in values):
        raise NotPrintable(f"{text!r} cannot be written in code set B")
    check = (_START_B + sum(place * value for place, value in enumerate(values, start=1))) % 103
    return [_START_B, *values, check, _STOP]


def path(text: str) -> tuple[int, str]:
    """This function will give the width in modules and the SVG path of a text's bars, quiet zones included."""
    at = 10  # the quiet zone is ten modules wide
    bars = []
    for symbol in symbols(text):
        widths = _WIDTHS[symbol * 6 :] if symbol == _STOP else _WIDTHS[symbol * 6 : symbol * 6 + 6]
        for place, width in enumerate(int(digit) for digit in widths):
            if place % 2 == 0:
                bars.append(f"M{at} 0h{width}v{HEIGHT}h-{width}z")
            at += width
    return at + 10, "".join(bars)
