#!/usr/bin/env python3
"""Make `.venv`, install the project into it, and run a command there, with nothing but the standard library.

    python3 bootstrap.py setup              install everything, the tools for tests included
    python3 bootstrap.py demo [OPTION ...]  run `scm demo`
    python3 bootstrap.py test [OPTION ...]  run the tests with pytest
    python3 bootstrap.py check              run ruff, mypy and import-linter
    python3 bootstrap.py bench [OPTION ...] run the benchmarks
    python3 bootstrap.py run COMMAND ...    run any command of `.venv`, for instance `run scm serve`

The versions are those of uv.lock. pip takes its index, certificate and proxy from its usual settings. A
second run starts at once: `.venv` remembers the hash of the pyproject.toml and uv.lock it was made from.
"""

# Python 3.6 must understand this file, if only to be told that it is too old.
import base64
import configparser
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from typing import List, Optional, Tuple

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PROGRAMS = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(PROGRAMS, "python.exe" if os.name == "nt" else "python")
STAMP = os.path.join(VENV, "installed-by-bootstrap")
OLDEST = (3, 11)
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-logo"),
)


class Stop(Exception):
    """Something this machine lacks; the message says what, and what to do about it."""


def main(arguments: List[str]) -> int:
    """This function will set up what the command needs, run it, and give its exit status."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if arguments else 2
    command, rest = arguments[0], arguments[1:]
    try:
        if command not in ("setup", "demo", "test", "check", "bench", "run"):
            raise Stop(f"there is no command {command!r}; `python3 bootstrap.py --help` lists them")
        if sys.version_info < OLDEST:
            return run_with_newer_python(arguments)
        install(with_tests=command not in ("demo", "run"))
    except Stop as problem:
        print(f"bootstrap: {problem}", file=sys.stderr)
        return 1
    if command == "check":
        return run_checks()
    if command == "setup":
        say(f"ready: the programs are in {os.path.relpath(PROGRAMS, os.getcwd())}")
        return 0
    if command in ("test", "bench"):
        os.chdir(ROOT)
    return become(program_of(command, rest))


def program_of(command: str, rest: List[str]) -> List[str]:
    """This function will give the program and arguments behind a command of this file."""
    if command == "demo":
        return ["scm", "demo", *rest]
    if command == "test":
        return ["python", "-m", "pytest", "-n", "auto", *rest]
    if command == "bench":
        return ["python", "-m", "benchmarks", *rest]
    return rest or ["scm", "--help"]


def run_with_newer_python(arguments: List[str]) -> int:
    """This function will hand over to a Python that is new enough, if this machine has one."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", "import venv"], stderr=subprocess.DEVNULL) == 0:
            say(f"this is Python {this_version()}; going on with {found}")
            return subprocess.call([found, os.path.abspath(__file__), *arguments])
    raise Stop(
        f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed and {sys.executable} is {this_version()}. "
        "Debian 12, Ubuntu 24.04 and their successors have it as `apt install python3`"
    )


def this_version() -> str:
    """This function will give the running Python's version as in its program's name."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


# ---- installing


def install(*, with_tests: bool) -> None:
    """This function will bring `.venv` up to date, and do nothing when nothing changed."""
    wanted = fingerprint()
    present, extra = read_stamp()
    if present == wanted and os.path.exists(PYTHON) and (extra == "test" or not with_tests):
        return
    with_tests = with_tests or extra == "test"
    if not has_working_pip():
        make_environment()
    what = "the project and the tools for its tests" if with_tests else "the project"
    say(f"installing {what} into .venv (a minute or so the first time)")
    with tempfile.TemporaryDirectory() as scratch:
        constraints = os.path.join(scratch, "locked-versions.txt")
        with open(constraints, "w", encoding="utf-8") as file:
            file.write("\n".join(locked_versions()) + "\n")
        project = ROOT + ("[test]" if with_tests else "")
        command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-c", constraints]
        command += ["--quiet"] if not sys.stdout.isatty() else []
        if subprocess.call([*command, "-e", project], stdin=subprocess.DEVNULL) != 0:
            raise Stop(
                f"pip could not install {what}; its own words are above. Without internet access, name a "
                "reachable package index in PIP_INDEX_URL (its certificate in PIP_CERT) and run this again"
            )
    with open(STAMP, "w", encoding="utf-8") as file:
        file.write("{} {}\n".format(wanted, "test" if with_tests else "run"))


def fingerprint() -> str:
    """This function will give a hash of all that decides what is installed: versions, place and Python."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "uv.lock"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    digest.update(f"{ROOT} {sys.version_info[:2]}".encode())
    return digest.hexdigest()


def read_stamp() -> Tuple[str, str]:
    """This function will give the fingerprint and the extra of the last installation, or two empty texts."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            present, extra = file.read().split()
    except (OSError, ValueError):
        return "", ""
    return present, extra


def locked_versions() -> List[str]:
    """This function will give the locked versions as lines that pip reads as constraints."""
    import tomllib  # new in Python 3.11, so not at the top

    with open(os.path.join(ROOT, "uv.lock"), "rb") as file:
        packages = tomllib.load(file)["package"]
    lines = []
    for package in packages:
        if "registry" in package["source"]:
            markers = package.get("resolution-markers", [])
            condition = " ; " + " or ".join(f"({marker})" for marker in markers) if markers else ""
            lines.append("{}=={}{}".format(package["name"], package["version"], condition))
    return lines


def has_working_pip() -> bool:
    """This function will tell whether `.venv` is a place of this project's own with a pip that runs."""
    if not os.path.exists(PYTHON):
        return False
    answer = subprocess.run(
        [PYTHON, "-c", "import pip, sys; print(sys.prefix, *sys.version_info[:2], sep='\\n')"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
    )
    expected = [VENV, str(sys.version_info[0]), str(sys.version_info[1])]
    return answer.returncode == 0 and answer.stdout.split("\n")[:3] == expected


# ---- an environment with pip, also where Debian leaves out ensurepip


def make_environment() -> None:
    """This function will make `.venv` anew and put pip into it."""
    try:
        import venv
    except ImportError:
        raise Stop("this Python has no `venv` module. On Debian: apt install python3-venv") from None
    say(f"making .venv with Python {this_version()}")
    venv.EnvBuilder(with_pip=False, clear=True, symlinks=os.name != "nt").create(VENV)
    if pip_from_ensurepip():
        return
    try:
        pip_from_index()
    except (OSError, ssl.SSLError, ValueError) as problem:
        raise Stop(
            f"pip is not on this machine and could not be fetched ({problem}). Either install it (on Debian: "
            "apt install python3-venv) or name a reachable package index in PIP_INDEX_URL"
        ) from None


def pip_from_ensurepip() -> bool:
    """This function will install the pip that comes with Python; Debian leaves it out of python3."""
    command = [PYTHON, "-m", "ensurepip", "--default-pip"]
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def pip_from_index() -> None:
    """This function will fetch one known wheel of pip from the configured index, check it, and install it."""
    index = setting("index-url") or "https://pypi.org/simple"
    say(f"this Python has no ensurepip: fetching {PIP_WHEEL} from {without_password(index)}")
    page_address = index.rstrip("/") + "/pip/"
    page = fetch(page_address).decode("utf-8", "replace")
    link = re.search(rf"""href=["']([^"']*/)?{re.escape(PIP_WHEEL)}(#[^"']*)?["']""", page)
    if link is None:
        raise ValueError(f"{PIP_WHEEL} is not listed at {without_password(page_address)}")
    wheel = fetch(urllib.parse.urljoin(page_address, (link.group(1) or "") + PIP_WHEEL))
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        raise ValueError(f"{PIP_WHEEL} from {without_password(index)} is not the file that was expected")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, PIP_WHEEL)
        with open(path, "wb") as file:
            file.write(wheel)
        # A wheel is a zip file, from which Python runs the pip inside, which installs the wheel it is in.
        command = [PYTHON, os.path.join(path, "pip"), "install", "--quiet", "--no-index", path]
        if subprocess.call([*command, "--disable-pip-version-check"]) != 0:
            raise ValueError("the fetched pip could not install itself")


def fetch(address: str) -> bytes:
    """This function will read an address with pip's certificate and proxy settings."""
    parts = urllib.parse.urlsplit(address)
    bare = urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.split("@")[-1]))
    request = urllib.request.Request(bare)
    if parts.username:
        account = "{}:{}".format(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
        request.add_header("Authorization", "Basic " + base64.b64encode(account.encode()).decode())
    handlers: List[urllib.request.BaseHandler] = [
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=setting("cert")))
    ]
    proxy = setting("proxy")
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    with urllib.request.build_opener(*handlers).open(request, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def setting(name: str) -> Optional[str]:
    """This function will give a setting of pip, from the environment or its files, or None."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if value:
        return value
    home = os.path.expanduser("~")
    configuration = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = configparser.RawConfigParser(strict=False)
    files.read(
        [
            "/etc/pip.conf",
            os.path.join(home, ".pip", "pip.conf"),
            os.path.join(configuration, "pip", "pip.conf"),
            os.path.join(os.environ.get("APPDATA", home), "pip", "pip.ini"),
            os.environ.get("PIP_CONFIG_FILE", os.devnull),
        ],
        encoding="utf-8",
    )
    return files.get("install", name, fallback=files.get("global", name, fallback=None)) or None


def without_password(address: str) -> str:
    """This function will give an address fit for a message."""
    return re.sub(r"//[^/@]*@", "//", address)


# ---- running


def run_checks() -> int:
    """This function will run every check, also after one has failed, and give 1 if any did."""
    failed = []
    for check in CHECKS:
        say(" ".join(check))
        program = os.path.join(PROGRAMS, check[0])
        if subprocess.call([program, *check[1:]], cwd=ROOT) != 0:
            failed.append(" ".join(check))
    if failed:
        print("bootstrap: failed: {}".format(", ".join(failed)), file=sys.stderr)
    return 1 if failed else 0


def become(command: List[str]) -> int:
    """This function will run a program of `.venv` in place of this one."""
    environment = dict(os.environ, VIRTUAL_ENV=VENV, PATH=PROGRAMS + os.pathsep + os.environ.get("PATH", ""))
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        print(f"bootstrap: there is no program {command[0]!r} in {PROGRAMS}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call([program, *command[1:]], env=environment)
    os.execve(program, [program, *command[1:]], environment)


def say(words: str) -> None:
    """This function will tell the user what is going on."""
    print(f"bootstrap: {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
