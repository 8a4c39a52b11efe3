"""The documents tell the truth: commands, options, links, mappings and dependencies in them exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import mappings.load
import syncd.config
from syncd.cli import app

PROJECT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
KINDS = {name: name for name in ("jira", "asana", "notion")}
ELSEWHERE = ("https://", "http://", "mailto:")


def git_files() -> list[Path]:
    """Return the project's files: what git knows, or in an unpacked archive everything but caches."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=PROJECT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        found = [PROJECT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        hidden = {".venv", ".uv", "__pycache__", "dist"}
        found = [p for p in PROJECT.rglob("*") if not hidden & set(p.parts)]
    return [path for path in found if path.is_file()]


DOCUMENTS = sorted(path for path in git_files() if path.suffix == ".md")
IDS = [path.relative_to(PROJECT).as_posix() for path in DOCUMENTS]


def fences(path: Path, *kinds: str) -> list[str]:
    return [text for _indent, kind, text in FENCE.findall(path.read_text("utf8")) if kind in kinds]


def test_there_are_documents_to_look_at():
    assert {"README.md", "CONTRIBUTING.md", "docs/tutorial/first-roadmap.md"} <= set(IDS)


# commands -------------------------------------------------------------------------------------------


def all_commands(group: Any = None, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    group = get_command(app) if group is None else group
    found = {path: group}
    for name, command in getattr(group, "commands", {}).items():
        found |= all_commands(command, (*path, name))
    return found


COMMANDS = all_commands()


def options(command: Any) -> set[str]:
    return {option for param in command.params for option in param.opts if option.startswith("-")}


def test_the_command_reference_is_up_to_date():
    done = subprocess.run(
        [sys.executable, PROJECT / "docs" / "generate.py", "--check"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_stale_command_reference_is_noticed(tmp_path):
    copy = tmp_path / "docs" / "generate.py"
    (copy.parent / "reference").mkdir(parents=True)
    copy.write_bytes((PROJECT / "docs" / "generate.py").read_bytes())
    (copy.parent / "reference" / "commands.md").write_text("# Commands\n", "utf8")
    done = subprocess.run(
        [sys.executable, copy, "--check"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "stale" in done.stderr


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(("syncd", *path)))
def test_every_command_and_option_is_in_the_reference(path):
    text = (PROJECT / "docs" / "reference" / "commands.md").read_text("utf8")
    section = text.partition(f"## {' '.join(('syncd', *path))}\n")[2].partition("\n## ")[0]
    assert section, "the command has no section"
    for option in options(COMMANDS[path]):
        assert option in section


def test_every_command_is_in_the_readme():
    text = (PROJECT / "README.md").read_text("utf8")
    for path in COMMANDS:
        if len(path) == 1:
            assert f"`syncd {path[0]}" in text, path


def commands_in(text: str) -> list[list[str]]:
    """Return the words of every command of ours in a shell text, from `syncd` or `./dev` on."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        code = line.partition(" #")[0]
        if re.match(r"\s*(sudo )?(systemctl|journalctl|git) ", code):
            continue  # there `syncd` is the name of the unit or of the folder
        matches = re.finditer(r"(?:^|[\s/])(syncd|\./dev)(?=\s|$)((?: [^\s`|;&]+)*)", code)
        found += [[match[1], *match[2].split()] for match in matches]
    return found


def said_commands(path: Path) -> list[list[str]]:
    """Return our commands in a document's shell blocks and in its `inline code`."""
    text = path.read_text("utf8")
    prose = FENCE.sub("", text)
    spans: list[str] = re.findall(r"`([^`\n]+)`", prose)
    inline = [span for span in spans if re.match(r"(syncd|\./dev)( |$)", span)]
    return [c for part in (*fences(path, "sh"), *inline) for c in commands_in(part)]


DEV = set(re.findall(r"^    ([a-z-]+)\)$", (PROJECT / "dev").read_text("utf8"), re.MULTILINE))


def wrong_with(words: list[str]) -> str | None:
    """Return what does not exist in one command line, None when all of it does."""
    program, *rest = words
    if program == "./dev":
        if rest and rest[0] not in DEV:
            return f"./dev has no command {rest[0]}"
        if not rest or rest[0] not in ("syncd", "demo"):
            return None
        rest = rest[1:] if rest[0] == "syncd" else rest
    path: tuple[str, ...] = ()
    while rest and (*path, rest[0]) in COMMANDS:
        path, rest = (*path, rest[0]), rest[1:]
    command = COMMANDS[path]
    if getattr(command, "commands", None) and rest and re.fullmatch(r"[a-z]+", rest[0]):
        return f"syncd {' '.join(path)} has no command {rest[0]}"
    unknown = [
        word
        for word in rest
        if word.startswith("-") and word.partition("=")[0] not in {*options(command), "--help"}
    ]
    return f"{' '.join(('syncd', *path))} has no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_commands_in_documents_exist(path):
    wrong = [(words, why) for words in said_commands(path) if (why := wrong_with(words))]
    assert wrong == []


def test_commands_in_documents_are_found_and_judged():
    assert commands_in("sudo /opt/syncd/bin/syncd run --once  # why") == [
        ["syncd", "run", "--once"]
    ]
    assert commands_in("./dev syncd plan") == [["./dev", "syncd", "plan"]]
    assert wrong_with(["syncd", "plan"]) is None
    assert wrong_with(["./dev", "syncd", "conflicts", "resolve", "c1", "--take", "jira"]) is None
    assert wrong_with(["syncd", "plan", "--checksum"]) == "syncd plan has no option --checksum"
    assert wrong_with(["syncd", "redo"]) == "syncd  has no command redo"
    assert wrong_with(["./dev", "deploy"]) == "./dev has no command deploy"
    assert len(said_commands(PROJECT / "docs" / "tutorial" / "first-roadmap.md")) > 10


# links ----------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = FENCE.sub("", path.read_text("utf8"))
    titles = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(path: Path) -> list[str]:
    found = []
    for link in LINK.findall(FENCE.sub("", path.read_text("utf8"))):
        if link.startswith(ELSEWHERE):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(path):
    assert broken(path) == []


def test_a_broken_link_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A title\n[a](#a-title) [b](#no-title) [c](gone.md) [d](page.md#a-title)")
    assert broken(page) == ["#no-title", "gone.md"]


def test_every_document_can_be_reached_from_the_readme():
    seen: set[Path] = set()
    waiting = [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for link in LINK.findall(page.read_text("utf8")):
            target = (page.parent / link.partition("#")[0]).resolve()
            if link.startswith(ELSEWHERE) or not target.exists():
                continue
            waiting += target.glob("*.md") if target.is_dir() else [target]
        waiting = [each for each in waiting if each.suffix == ".md"]
    assert [each for each in DOCUMENTS if each not in seen] == []


# mappings -------------------------------------------------------------------------------------------

AROUND = """\
roadmap: Around a part
items:
  initiative:
    notion: {database: Initiatives}
    asana: {project: Company}
  feature:
    jira: {projects: [WEB], types: [Epic]}
    notion: {database: Roadmap}
    asana: {project: Roadmap}
  work_item:
    jira: {projects: [WEB], types: [Story]}
    parent: {jira: parent}
"""


def snippets() -> list[Any]:
    found = []
    for path, name in zip(DOCUMENTS, IDS, strict=True):
        for number, text in enumerate(fences(path, "yaml")):
            if not re.search(r"^(mapping|connections):", text, re.MULTILINE):
                found.append(pytest.param(text, id=f"{name}:{number}"))
    return found


@pytest.mark.parametrize("text", snippets())
def test_mappings_in_documents_load(text, tmp_path):
    """A part of a mapping is completed by levels that have what it speaks of."""
    file = tmp_path / "roadmap.yaml"
    whole = re.search(r"^items:", text, re.MULTILINE)
    file.write_text(text if whole else AROUND + text, "utf8")
    assert mappings.load.load([file], KINDS).fields


def configurations() -> list[Any]:
    found = []
    for path, name in zip(DOCUMENTS, IDS, strict=True):
        for number, text in enumerate(fences(path, "yaml")):
            if re.search(r"^connections:", text, re.MULTILINE):
                found.append(pytest.param(text, id=f"{name}:{number}"))
    return found


@pytest.mark.parametrize("text", configurations())
def test_configurations_in_documents_load(text, tmp_path):
    file = tmp_path / "syncd.yaml"
    file.write_text(text, "utf8")
    assert set(syncd.config.load(file).connections) == set(KINDS)


# dependencies ---------------------------------------------------------------------------------------


def required() -> list[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf8"))["project"]
    extras = project.get("optional-dependencies", {})
    lines = [*project["dependencies"], *(line for each in extras.values() for line in each)]
    return [re.match(r"[\w.-]+", line)[0] for line in lines]  # type: ignore[index]


@pytest.mark.parametrize("name", required())
def test_every_dependency_has_its_paragraph(name):
    text = (PROJECT / "docs" / "decisions" / "0003-dependencies.md").read_text("utf8")
    paragraphs = [part for part in text.split("\n\n") if part.startswith(f"**{name}**")]
    assert len(paragraphs) == 1
    assert len(paragraphs[0].split()) >= 4


def test_no_paragraph_is_about_what_is_not_needed():
    text = (PROJECT / "docs" / "decisions" / "0003-dependencies.md").read_text("utf8")
    assert set(re.findall(r"^\*\*([\w.-]+)\*\*", text, re.MULTILINE)) == set(required())


# places ---------------------------------------------------------------------------------------------

FOREIGN = re.compile(rb"(?<![\w./-])/" + rb"(?:work|root|home|tmp/w)/[\w.-]")
ALLOWED_HOSTS = {"pypi.org", "files.pythonhosted.org"}


def test_no_file_names_a_place_on_somebodys_machine():
    found = [
        f"{path.relative_to(PROJECT)}: {hit.group().decode()}"
        for path in git_files()
        for hit in FOREIGN.finditer(path.read_bytes())
    ]
    assert found == []


def test_a_place_on_a_machine_would_be_noticed():
    assert FOREIGN.search(b"see /" + b"work/main")
    assert not FOREIGN.search(b"https://example.com/" + b"work/main")


def test_the_lock_file_names_the_public_index_only():
    lock = PROJECT / "uv.lock"
    if not lock.exists():
        pytest.skip("the lock file is not part of a source archive")
    hosts = set(re.findall(r"https?://([^/\"]+)", lock.read_text("utf8")))
    assert hosts <= ALLOWED_HOSTS
