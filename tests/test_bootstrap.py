"""What bootstrap.py decides before it calls anybody: versions, settings of pip, and when to do nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import bootstrap


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree and a home of the test's own, without any setting of pip."""
    for name in ("PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "named.conf"))
    monkeypatch.setattr(bootstrap, "ROOT", str(tmp_path))
    monkeypatch.setattr(bootstrap, "STAMP", str(tmp_path / "stamp"))
    return tmp_path


def test_the_locked_versions_are_constraints_that_pip_reads() -> None:
    constraints = [Requirement(line) for line in bootstrap.locked_versions()]
    here = {line.name for line in constraints if line.marker is None or line.marker.evaluate()}
    assert {"sqlalchemy", "flask", "pulp", "numpy"} <= here
    assert "scm-closed-loop" not in here
    assert all(str(line.specifier).startswith("==") for line in constraints)


def test_a_setting_of_pip_comes_from_the_environment_before_its_files(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "named.conf").write_text("[global]\nindex-url = https://in-a-file.example/simple\n")
    assert bootstrap.setting("index-url") == "https://in-a-file.example/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://in-the-environment.example/simple")
    assert bootstrap.setting("index-url") == "https://in-the-environment.example/simple"


def test_a_setting_for_installing_comes_before_the_general_one(elsewhere: Path) -> None:
    (elsewhere / "named.conf").write_text("[global]\ncert = general.pem\n[install]\ncert = installing.pem\n")
    assert bootstrap.setting("cert") == "installing.pem"


def test_no_message_shows_the_password_of_an_index() -> None:
    shown = bootstrap.without_password("https://reader:secret@index.example/simple")
    assert shown == "https://index.example/simple"


def test_a_wheel_that_is_not_the_expected_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    page = f'<a href="../files/{bootstrap.PIP_WHEEL}#sha256=whatever">pip</a>'.encode()
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return page if address.endswith("/pip/") else b"not the wheel"

    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setattr(bootstrap, "fetch", fetch)
    with pytest.raises(ValueError, match="not the file that was expected"):
        bootstrap.pip_from_index()
    assert asked == [
        "https://index.example/simple/pip/",
        f"https://index.example/simple/files/{bootstrap.PIP_WHEEL}",
    ]


def test_nothing_is_installed_when_nothing_changed(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "pyproject.toml").write_text("[project]\n")
    (elsewhere / "uv.lock").write_text("version = 1\n")
    (elsewhere / "stamp").write_text(f"{bootstrap.fingerprint()} test\n")
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    monkeypatch.setattr(bootstrap, "has_working_pip", lambda: pytest.fail("it began to install"))
    bootstrap.install(with_tests=True)
    bootstrap.install(with_tests=False)

    (elsewhere / "uv.lock").write_text("version = 2\n")
    with pytest.raises(pytest.fail.Exception, match="it began to install"):
        bootstrap.install(with_tests=False)
