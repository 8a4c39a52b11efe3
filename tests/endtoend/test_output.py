"""What reaches terminals and logs: no secret, no command to the terminal, help at once."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from base64 import b64encode

from installation import SYNCD, change, daemon, environment, syncd

HOSTILE = "\x1b[31mred\x1b]0;owned\x07 \x9b2J \u202eelpoep\u2066 \x00end"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HEAVY = {
    "adapters.asana.client", "adapters.jira.client", "adapters.notion.client", "alembic", "asana",
    "httpx", "jira", "notion_client", "pydantic", "requests", "ruamel", "rich", "sqlalchemy",
    "starlette", "structlog", "tenacity", "uvicorn",
}  # fmt: skip


def test_hostile_titles_never_reach_the_terminal_raw(world, filled):
    title = f"Fleet map {HOSTILE}".replace("\x00", "")
    world.edit_row("Fleet cockpit", Name={"title": [{"text": {"content": title}}]})
    outputs = [syncd("plan", cwd=filled)]
    with daemon(filled) as running:
        running.wait_for("cycle")
        running.stop()
    item = syncd("history", "--json", "-n", "400", cwd=filled)
    outputs += [item, syncd("status", "--all", cwd=filled), syncd("history", cwd=filled)]
    outputs += [syncd("explain", "Fleet map", cwd=filled), syncd("explain", "Fleet", cwd=filled)]
    assert any("red" in each.out and "elpoep" in each.out for each in outputs), "it was shown"
    assert title in [entry["after"] for entry in item.data], "JSON keeps what it means"
    for each in outputs:
        assert not OBEYED.search(each.out + each.err), each
    assert not OBEYED.search(running.text)


def test_no_token_in_any_output_log_or_state(world, filled, tmp_path):
    folder = world.folder(tmp_path / "secrets-inside")
    secrets = {each["token"] for each in world.credentials.values()}
    jira = world.credentials["jira"]
    secrets.add(b64encode(f"{jira['email']}:{jira['token']}".encode()).decode())
    outputs = [
        syncd("check", "--json", cwd=folder),
        syncd("run", "--once", "--debug", "--log-json", cwd=folder),
        syncd("status", "--json", cwd=folder),
        syncd("history", "--json", "-n", "1000", cwd=folder),
    ]
    leaky = f"<html>you sent {' and '.join(sorted(secrets))}</html>"
    with world.faults({"service": "jira", "html": leaky, "status": 200}):
        outputs.append(syncd("run", "--once", "--debug", cwd=folder))
    assert outputs[-1].code == 3
    (folder / "secrets" / "notion").write_text("canary-9917\x1b")
    outputs.append(syncd("check", cwd=folder))
    said = "".join(each.out + each.err for each in outputs)
    kept = b"".join(path.read_bytes() for path in (folder / ".syncd").iterdir())
    assert kept
    for secret in {*secrets, "canary-9917"}:
        assert secret not in said
        assert secret.encode() not in kept


def test_a_bug_of_ours_shows_its_place_but_no_secret(tmp_path):
    program = """
from syncd import cli, logs
logs.hide("canary-4711")
def broken(**_): raise RuntimeError("Authorization: Bearer canary-4711 \\x1b[2J")
cli.app = broken
cli.main()
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "RuntimeError: Authorization: Bearer [secret]" in run.stderr
    assert run.stderr.splitlines()[-1].startswith("this is a bug of syncd: please report it")
    assert "canary" not in run.stderr
    assert "\x1b" not in run.stderr


def test_long_work_shows_progress_in_a_terminal(world, folder):
    ours, theirs = pty.openpty()
    words = [str(SYNCD), "run", "--once"]
    kept = {k: v for k, v in environment(TERM="xterm", COLUMNS="100").items() if k != "NO_COLOR"}
    with subprocess.Popen(
        words, cwd=folder, env=kept, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # what a terminal's other end says when everybody has left
                break
            if not part:
                break
            shown += part
        out = process.stdout.read()
    os.close(ours)
    assert b"reading Roadmap" in shown
    assert b"writing" in shown
    assert re.search(rb"\d+/\d+", shown)
    assert b"reading" not in out, "bars stand on stderr only"
    assert out.startswith(b"cycle 1: ")


def test_orphans_stand_in_the_report_and_in_status(world, tmp_path):
    folder = world.folder(tmp_path / "orphans")
    change(folder / "roadmap.yaml", "jira: {projects: [WEB, APP, PLAT], types: [Epic]}",
           "jira: {projects: [WEB, APP], types: [Epic]}")  # fmt: skip
    run = syncd("run", "--once", cwd=folder)
    found = re.search(r"orphans +(\d+) items without the parent their tool names", run.out)
    assert found, run.out + run.err
    status = syncd("status", cwd=folder)
    assert f"orphan: {found[1]}\n" in status.out
    assert "and " in status.out
    assert "--all lists them" in status.out


def test_help_loads_nothing_heavy(tmp_path):
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "syncd", "--help"],
        capture_output=True, text=True, check=True, env=environment(), cwd=tmp_path,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert "syncd.cli.common" in loaded
    assert not {name for name in loaded if name in HEAVY or name.partition(".")[0] in HEAVY}
    assert run.stdout.startswith("Usage: ")
