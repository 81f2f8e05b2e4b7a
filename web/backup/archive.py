"""The file of a backup: a zip with a manifest, written whole or not at all, read only when every checksum fits."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from web.backup import MANIFEST, BadBackup, DiskFailed, FileExists, Manifest, Part

CHUNK = 1 << 20


class Writing:
    """A backup that is being written: its parts, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: dict[str, Part] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[Summed]:
        """This function will give a stream for one part; its checksum is noted at the end."""
        with self._archive.open(name, "w", force_zip64=True) as stream:
            summed = Summed(stream)
            yield summed
        self.parts[name] = Part(sha256=summed.digest.hexdigest(), bytes=summed.bytes)

    def manifest(self, manifest: Manifest) -> None:
        """This function will write the manifest, as the last part."""
        self._archive.writestr(MANIFEST, json.dumps(manifest.as_json(), indent=1, sort_keys=True))


class Summed:
    """A stream that counts and sums what is written to it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest, self.bytes = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """This function will write some bytes."""
        self._stream.write(data)
        self.digest.update(data)
        self.bytes += len(data)


@contextlib.contextmanager
def written(file: Path) -> Iterator[Writing]:
    """This function will give a new backup to write to; the file has its name only when all of it is on the disk.

    Raises `FileExists`, `DiskFailed`.
    """
    draft = file.with_name(f".{file.name}.part")
    try:
        if file.exists():
            raise FileExists(f"{file} exists: a backup overwrites nothing, choose another name")
        draft.unlink(missing_ok=True)
        number = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                yield Writing(archive)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, file)
    except OSError as error:
        raise DiskFailed(f"{file} cannot be written ({error.strerror or type(error).__name__})") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """This function will open a backup whose parts all have their checksums. Raises `BadBackup`, `DiskFailed`."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = Manifest.from_json(json.loads(archive.read(MANIFEST)))
            for name, part in manifest.parts.items():
                _refuse_changed(archive, name, part, file)
            yield archive, manifest
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise BadBackup(f"{file} is no backup, or only a piece of one ({type(error).__name__})") from error
    except OSError as error:
        raise DiskFailed(f"{file} cannot be read ({error.strerror or type(error).__name__})") from error


def _refuse_changed(archive: zipfile.ZipFile, name: str, part: Part, file: Path) -> None:
    digest = hashlib.sha256()
    with archive.open(name) as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != part.sha256:
        raise BadBackup(f"{name} in {file} is not what was backed up: its checksum differs")
