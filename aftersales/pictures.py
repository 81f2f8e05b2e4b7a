"""What kind of picture some bytes are, read from their first fields: nothing is decoded, whatever is packed inside.

A name or a declared type says nothing: only the bytes do. The size of the picture is read as well, because a few
kilobytes may unpack into gigabytes on the screen of whoever looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
# Markers that carry the size of a JPEG: SOF0 to SOF15 without DHT, JPG and DAC, which share their range.
JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


@dataclass(frozen=True)
class Picture:
    """A picture's media type and its size in pixels."""

    media_type: str
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many pixels whoever shows it must hold."""
        return self.width * self.height


def recognise(content: bytes) -> Picture | None:
    """This function will tell what picture some bytes are; None when they are none of JPEG, PNG and WebP.

    >>> recognise(b"<svg onload='alert(1)'/>") is None
    True
    """
    for media_type, size_of in _READERS.items():
        size = size_of(content)
        if size is not None and size[0] > 0 and size[1] > 0:
            return Picture(media_type, *size)
    return None


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != PNG_START or content[12:16] != b"IHDR" or len(content) < 24:
        return None
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Segment by segment until the one that carries the size; each says how long it is."""
    if content[:3] != JPEG_START:
        return None
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in JPEG_SIZES:
            return int.from_bytes(content[place + 7 : place + 9]), int.from_bytes(content[place + 5 : place + 7])
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in JPEG_ALONE:
            place += 2
        else:
            place += 2 + max(2, int.from_bytes(content[place + 2 : place + 4]))
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or len(content) < 30:
        return None
    form = content[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if form == b"VP8L" and content[20] == 0x2F:
        packed = int.from_bytes(content[21:25], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    if form == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF
    return None


_READERS: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}
