"""Reads a file as numbered lines of text: plain or gz, in blocks, never the whole of it at once.

A file that cannot be read to its end raises `UnusableFile`; a line that is not text becomes a `Rejection`.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scm.core.progress import Progress
from scm.loop.importing.refusals import Rejection, UnusableFile, shown

BLOCK_BYTES = 1 << 18  # small enough that the cells made of it stay in the processor's cache
LONGEST_LINE_BYTES = 128 * 1024  # a longer line is skipped; nothing of it is kept in memory
GZIP_MAGIC = b"\x1f\x8b"
FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}

Line = str | Rejection


@dataclass(frozen=True)
class Chunk:
    """Consecutive lines of the file; `clean` when every one of them is text."""

    first_row: int
    lines: list[Line]
    clean: bool


class Source:
    """One file being read. After `chunks` is exhausted, `content_hash` tells the unpacked content."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()

    @property
    def content_hash(self) -> str:
        """The SHA-256 of everything read so far, unpacked."""
        return self._digest.hexdigest()

    def chunks(self, progress: Progress) -> Iterator[Chunk]:
        """This function will read the file from its start. Raises `UnusableFile`."""
        try:
            with self.path.open("rb") as raw:
                progress.stage(f"reading {self.path.name}", total=self.path.stat().st_size)
                yield from self._split(self._blocks(raw, progress))
        except OSError as error:  # also what gzip raises on a bad header or checksum
            raise UnusableFile(f"{self.path} cannot be read: {error}. Nothing was changed") from error

    def _blocks(self, raw: BinaryIO, progress: Progress) -> Iterator[bytes]:
        packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        before, first = 0, True
        try:
            while block := stream.read(BLOCK_BYTES):
                if first:
                    self._refuse_foreign(block)
                    first = False
                self._digest.update(block)
                yield block
                at = raw.tell()
                progress.advance(at - before)
                before = at
        except (EOFError, zlib.error) as error:
            raise UnusableFile(
                f"{self.path} is a damaged or truncated gz file ({error}): copy it again. Nothing was changed"
            ) from error

    def _refuse_foreign(self, block: bytes) -> None:
        for magic, what in FOREIGN.items():
            if block.startswith(magic):
                raise UnusableFile(
                    f"{self.path} is {what}, not CSV: save it as CSV in UTF-8, comma-separated. Nothing was changed"
                )

    def _split(self, blocks: Iterator[bytes]) -> Iterator[Chunk]:
        row, tail, skipping = 1, b"", False
        for block in blocks:
            if skipping:
                end = block.find(b"\n")
                if end < 0:
                    continue
                yield Chunk(row, [_too_long(row)], False)
                row, tail, skipping = row + 1, block[end + 1 :], False
            else:
                tail += block
            cut = tail.rfind(b"\n") + 1
            if cut:
                chunk = _decoded(tail[: cut - 1], row)
                row, tail = row + len(chunk.lines), tail[cut:]
                yield chunk
            if len(tail) > LONGEST_LINE_BYTES:
                tail, skipping = b"", True
        if skipping:
            yield Chunk(row, [_too_long(row)], False)
        elif tail:
            yield _decoded(tail, row)


def _decoded(data: bytes, row: int) -> Chunk:
    if b"\0" not in data:
        try:
            text = data.decode("utf-8-sig" if row == 1 else "utf-8")
        except UnicodeDecodeError:
            pass  # one line at a time then, to name the one
        else:
            text = text.removesuffix("\r").replace("\r\n", "\n")
            lines = text.split("\n")
            if len(max(lines, key=len)) <= LONGEST_LINE_BYTES // 4:  # in bytes it is at most four times that
                return Chunk(row, [*lines], "\r" not in text)
    if row == 1:
        data = data.removeprefix(b"\xef\xbb\xbf")
    return Chunk(row, [_line(line, row + place) for place, line in enumerate(data.split(b"\n"))], False)


def _line(data: bytes, row: int) -> Line:
    if len(data) > LONGEST_LINE_BYTES:
        return _too_long(row)
    if b"\0" in data:
        text = data.decode("utf-8", "replace")
        around = text[max(0, text.index("\0") - 20) :][:40]
        return Rejection(row, "nul_byte", "", shown(around), "remove the NUL bytes: the export was cut or is not text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        around = data[max(0, error.start - 20) : error.start + 20].decode("cp1252", "replace")
        mend = "save the file as UTF-8; in Windows-1252, which this may be, the value reads as shown"
        return Rejection(row, "wrong_encoding", "", shown(around), mend)


def _too_long(row: int) -> Rejection:
    return Rejection(
        row,
        "cell_too_large",
        "",
        f"a line of more than {LONGEST_LINE_BYTES} bytes",
        f"shorten it: a line may have {LONGEST_LINE_BYTES} bytes at most",
    )
