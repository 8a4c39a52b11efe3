"""The systemd unit takes away what the daemon does not need, and works with what the daemon does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "syncd.service"

HARDENING = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "DynamicUser": "yes",
    "UMask": "0077",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "ProtectProc": "invisible",
    "ProcSubset": "pid",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RemoveIPC": "yes",
    "KeyringMode": "private",
    "DevicePolicy": "closed",
    "SystemCallArchitectures": "native",
    "LimitCORE": "0",
}


def parse(text: str) -> dict[str, dict[str, list[str]]]:
    """Return section -> key -> values in order; systemd allows a key several times."""
    sections: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            current.setdefault(key, []).append(value)
    return sections


@pytest.fixture(scope="module")
def unit() -> dict[str, dict[str, list[str]]]:
    return parse(UNIT.read_text("utf8"))


@pytest.mark.parametrize(("key", "value"), HARDENING.items())
def test_hardening(unit, key, value):
    assert unit["Service"].get(key) == [value]


def test_system_calls_are_a_service_s_without_the_privileged_ones(unit):
    allowed, denied = unit["Service"]["SystemCallFilter"]
    assert allowed == "@system-service"
    assert denied.startswith("~")
    assert {"@privileged", "@resources"} <= set(denied.removeprefix("~").split())


def test_it_is_told_when_it_is_ready_and_that_it_is_alive(unit):
    service = unit["Service"]
    assert service["Type"] == ["notify"]
    assert int(service["WatchdogSec"][0]) >= 60
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_it_is_given_time_to_stop(unit):
    assert int(unit["Service"]["TimeoutStopSec"][0]) >= 10


def test_a_wrong_configuration_is_not_tried_again(unit):
    assert unit["Service"]["Restart"] == ["on-failure"]
    assert unit["Service"]["RestartPreventExitStatus"] == ["2"]


def test_credentials_come_from_systemd_only(unit):
    service = unit["Service"]
    names = {line.partition(":")[0] for line in service["LoadCredential"]}
    assert names == {"jira-token", "asana-token", "notion-token"}
    assert "Environment" not in service
    assert "EnvironmentFile" not in service


def test_the_state_is_the_service_s_own(unit):
    assert unit["Service"]["StateDirectory"] == ["syncd"]
    assert unit["Service"]["StateDirectoryMode"] == ["0700"]


def test_the_command_it_starts_exists(unit):
    from typer.main import get_command

    from syncd.cli import app

    (start,) = unit["Service"]["ExecStart"]
    program, command, *rest = start.split()
    assert program.endswith("/bin/syncd")
    options = {name for p in get_command(app).commands[command].params for name in p.opts}  # type: ignore[attr-defined]
    assert {word for word in rest if word.startswith("-")} <= options


def test_what_is_left_of_the_score_is_explained(tmp_path):
    """systemd's own list of what is open, and the table of systemd/README.md, say the same."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    left = re.findall(r"^✗ ([A-Za-z]+)=\S* .* (\d\.\d)\s*$", done.stdout, re.MULTILINE)
    if not left:
        pytest.skip(f"systemd-analyze cannot judge a file here: {done.stderr.strip()[:80]}")
    page = (SYSTEMD / "README.md").read_text("utf8")
    sums = re.findall(r"^\| .* \| (\d\.\d) \|", page, re.MULTILINE)
    assert {name for name, _score in left} - {"RestrictAddressFamilies"} <= set(
        re.findall(r"`([A-Za-z]+)=", page)
    )
    assert sorted(score for _name, score in left) == sorted(sums)
