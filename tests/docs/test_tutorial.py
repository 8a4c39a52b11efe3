"""The tutorial does what it says: its commands are run as written, against its own sandbox."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROJECT = Path(__file__).parents[2]
TUTORIAL = PROJECT / "docs" / "tutorial" / "first-roadmap.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PORT = 8765
"""The sandbox's default, which the tutorial's addresses name."""

EDITED = "2027-03-31|2027-04-30|2027-05-15"
"""Days that the tutorial's people write; all others move with today."""

OURS = Path(sys.executable).parent / "syncd"


def blocks() -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in BLOCK.findall(TUTORIAL.read_text("utf8"))]


def commands(text: str) -> list[tuple[str, int]]:
    """Return the commands of a block, each with the exit code the tutorial announces."""
    lines = text.replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        command, _, remark = line.partition("   # ") if "   # " in line else (line, "", "")
        announced = re.search(r"exit code (\d)", remark)
        found.append((command.strip(), int(announced[1]) if announced else 0))
    return found


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a checkout from the tutorial's point of view."""
    place = tmp_path / "syncd"
    place.mkdir()
    dev = place / "dev"
    dev.write_text(f'#!/bin/sh\nshift\nexec "{OURS}" "$@"\n', "utf8")
    dev.chmod(0o755)
    return place


@pytest.fixture
def sandbox(checkout):
    """The first command of the tutorial, in a terminal of its own."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"port {PORT}, which the tutorial uses, is taken by another program")
    kind, text = blocks()[0]
    assert kind == "sh"
    ((command, _code),) = commands(text)
    serving = subprocess.Popen(
        command.split(), cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith('{"jira"')
        yield serving
    finally:
        serving.terminate()
        serving.communicate(timeout=20)


def essence(line: str) -> str:
    """Return what of an output line does not depend on the day, the clock, or the machine."""
    line = re.sub(r"[^\s\[]*roadmap\.yaml:[\d:]+", "roadmap.yaml:LINE ", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)
    line = re.sub(r"\d+ read", "N read", line)  # how far back a read reaches depends on the clock
    line = re.sub(r"\d\d+ (writes|updated|blocks)", r"MANY \1", line)
    line = re.sub(r"in \d+\.\d s", "in TIME", line)
    line = re.sub(r"settled by [\w.-]+ \(", "settled by NAME (", line)
    return re.sub(rf"\b(?!{EDITED})\d{{4}}-\d\d-\d\d\b", "DAY", line).strip()


def test_every_command_of_the_tutorial_does_what_is_shown(checkout, sandbox):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed, and the tutorial's people edit with it")
    environment = {**os.environ, "SYNCD_CONFIG": "../first-roadmap/syncd.yaml"}
    replaced: dict[str, str] = {}  # what the tutorial shows -> what it is today
    printed: list[str] = []
    for kind, text in blocks()[1:]:
        if kind == "text":
            missing = [
                line
                for line in text.splitlines()
                if line != "..." and not any(_shown(line, replaced) in each for each in printed)
            ]
            assert missing == [], "\n".join(printed[-40:])
            printed = []
            continue
        for command, code in commands(text):
            if command.startswith("export ") or command.endswith("syncd run"):
                continue
            for shown, real in replaced.items():
                command = command.replace(shown, real)  # noqa: PLW2901
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=checkout, env=environment, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            output = done.stdout + done.stderr
            assert done.returncode == code, f"{command}: {done.returncode}\n{output}"
            printed += [essence(line) for line in output.splitlines()]
            _remember(output, replaced)


def _shown(line: str, replaced: dict[str, str]) -> str:
    for shown, real in replaced.items():
        line = line.replace(shown, real)
    return essence(line)


TODAYS = (
    r"^34 to create.* checksum (\w+)$",  # health, and so the plan, depends on the day
    r"^\s*asana (\d+): \S+, agrees$",
    r"^(c[0-9a-f]{10})  due of Fleet map",
)
"""What a reader copies from the screen, because it may differ from the page."""


def _remember(output: str, replaced: dict[str, str]) -> None:
    page = TUTORIAL.read_text("utf8")
    for pattern in TODAYS:
        found = re.search(pattern, output, re.MULTILINE)
        if found:
            shown = re.search(pattern, page, re.MULTILINE)
            assert shown is not None, pattern
            replaced[shown[1]] = found[1]
