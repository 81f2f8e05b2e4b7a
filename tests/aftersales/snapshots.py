"""Pictures as small as they get, and what pretends to be one."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 2, height: int = 2, *, packed: bytes | None = None) -> bytes:
    """This function will write a grey PNG; `packed` replaces its compressed rows."""
    rows = b"".join(b"\0" + b"\x7f" * width for _ in range(height)) if packed is None else b""
    data = zlib.compress(rows) if packed is None else packed
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """This function will write one chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(width: int = 2, height: int = 2) -> bytes:
    """This function will write the segments of a JPEG up to its size, as a camera begins one."""
    exif = b"\xff\xe1" + struct.pack(">H", 8) + b"Exif\0\0"
    size = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + exif + size + b"\xff\xd9"


def webp(width: int = 2, height: int = 2) -> bytes:
    """This function will write the head of a WebP in its extended form."""
    head = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (width - 1).to_bytes(3, "little")
    body = b"WEBP" + head + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


# An answer of two gigabytes in two kilobytes: whoever decodes it to look at it is done for.
BOMB = png(100_000, 100_000, packed=zlib.compress(b"\0" * 2_000_000, 9))
PRETENDERS = {
    "nothing": b"",
    "text": b"just text",
    "page": b"<!doctype html><script>alert(1)</script>",
    "drawing": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "program": b"MZ" + b"\0" * 64,
    "moving": b"GIF89a" + b"\0" * 32,
    "half a png": png()[:12],
    "only the start of a jpeg": b"\xff\xd8\xff" + b"<script>alert(1)</script>",
    "png without a size": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 0, 8, 0, 0, 0, 0)),
    "riff that sounds": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 32,
}
