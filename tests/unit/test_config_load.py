from __future__ import annotations

from pathlib import Path

import pytest

from adapters import registry
from syncd.config import KEYS, SOURCES, duration, load
from syncd.core.errors import ConfigError

GOOD = """\
mapping: [roadmap.yaml, people.yaml]
state: {path: var/state.db}
interval: 90s
full_read_every: 12h
connections:
  jira:
    type: jira
    url: https://acme.atlassian.net
    email: robot@acme.example
    token: {file: secrets/jira}
  docs:
    type: notion
    token: {credential: notion-token}
"""
CONNECTION = """\
connections:
  jira: {type: jira, url: https://a.example, email: r@a.example, token: {env: T}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text: str) -> Path:
    path = Path("syncd.yaml")
    path.write_text(text, encoding="utf-8")
    return path


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(text))
    return str(caught.value).splitlines()


def test_a_good_file_is_read():
    config = load(written(GOOD))
    assert config.state == Path("var/state.db")
    assert config.mapping == (Path("roadmap.yaml"), Path("people.yaml"))
    assert (config.interval, config.full_read_every) == (90.0, 43200.0)
    assert config.kinds == {"jira": "jira", "docs": "notion"}
    jira = config.connections["jira"]
    assert jira.settings.model_dump()["email"] == "robot@acme.example"
    assert (jira.token.how, jira.token.name) == ("file", "secrets/jira")
    assert jira.place.line == 6
    assert config.connections["docs"].token.how == "credential"


def test_what_is_left_out_has_a_default():
    config = load(written("mapping: m.yaml\n" + CONNECTION))
    assert config.state == Path(".syncd/state.db")
    assert (config.interval, config.full_read_every) == (60.0, 86400.0)
    assert config.mapping == (Path("m.yaml"),)


def test_paths_start_from_the_file(here):
    folder = here / "etc"
    folder.mkdir()
    path = folder / "syncd.yaml"
    path.write_text("mapping: ../m.yaml\nstate: {path: /var/s.db}\n" + CONNECTION)
    config = load(path)
    assert config.directory == folder
    assert config.mapping == (folder / ".." / "m.yaml",)
    assert config.state == Path("/var/s.db")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("5m", 300), ("24h", 86400), ("1.5d", 129600), ("60", None), ("h", None)],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


TOKEN = "write `token: {file: PATH}`, `{credential: NAME}` or `{env: NAME}`"
BASE = "mapping: m.yaml\n"
NOTION = BASE + "connections:\n  docs: {type: notion, "

BAD = {
    "empty": (
        "",
        "syncd.yaml:1:1: the file is empty: write at least `mapping:` and `connections:`",
    ),
    "unknown key": (
        BASE + CONNECTION + "intervall: 60s\n",
        'syncd.yaml:4:1: unknown key "intervall": did you mean "interval"?',
    ),
    "no connections": (
        BASE,
        "syncd.yaml:1:1: `connections:` is missing or empty: add it",
    ),
    "no mapping": (
        CONNECTION,
        "syncd.yaml:1:1: `mapping:` is missing or empty: add it",
    ),
    "no unit": (
        BASE + "interval: 60\n" + CONNECTION,
        "syncd.yaml:2:11: a time with its unit is expected here: write it like 60s, 5m or 24h",
    ),
    "too short": (
        BASE + "full_read_every: 5s\n" + CONNECTION,
        'syncd.yaml:2:18: "5s" is too short: write at least 60s',
    ),
    "unknown key of state": (
        BASE + "state: {file: x}\n" + CONNECTION,
        'syncd.yaml:2:9: unknown key "file": write path',
    ),
    "state is text": (
        BASE + "state: x.db\n" + CONNECTION,
        (
            "syncd.yaml:2:8: a mapping (lines `key: value`) is expected here, "
            'not "x.db": write a mapping (lines `key: value`)'
        ),
    ),
    "path is a number": (
        "mapping: [m.yaml, 7]\n" + CONNECTION,
        "syncd.yaml:1:19: the path of a file is expected here",
    ),
    "no type": (
        BASE + "connections:\n  docs: {token: {env: T}}\n",
        ('syncd.yaml:3:9: the tool is not named (`type`): write one of "asana", "jira", "notion"'),
    ),
    "unknown type": (
        BASE + "connections:\n  docs: {type: noton, token: {env: T}}\n",
        'syncd.yaml:3:16: no tool is "noton" (`type`): did you mean "notion"?',
    ),
    "token in the file": (
        NOTION + "token: ntn_123}\n",
        (
            "syncd.yaml:3:31: a token must not stand in this file, for it is copied and shared: "
            f"revoke it, keep a new one in a file, {TOKEN}"
        ),
    ),
    "no token": (
        NOTION + "}\n",
        f"syncd.yaml:3:9: it is not said where the token is: {TOKEN}",
    ),
    "two sources": (
        NOTION + "token: {file: a, env: B}}\n",
        f"syncd.yaml:3:31: one source of the token is expected here: {TOKEN}",
    ),
    "no source": (
        NOTION + "token: {}}\n",
        f"syncd.yaml:3:31: one source of the token is expected here: {TOKEN}",
    ),
    "unknown source": (
        NOTION + "token: {fil: a}}\n",
        'syncd.yaml:3:32: unknown key "fil": did you mean "file"?',
    ),
    "unknown key of an adapter": (
        NOTION + "token: {env: T}, brst: 3}\n",
        'syncd.yaml:3:41: unknown key "brst": did you mean "burst"?',
    ),
    "wrong value of an adapter": (
        NOTION + "token: {env: T}, url: 'http://docs.example'}\n",
        "syncd.yaml:3:46: write https://, for http would show the token to the network",
    ),
    "missing key of an adapter": (
        BASE + "connections:\n  j: {type: jira, url: https://a.example, token: {env: T}}\n",
        'syncd.yaml:3:6: "email" is missing here: add it',
    ),
    "a word of the mapping language": (
        BASE + CONNECTION.replace("jira:", "owner:"),
        'syncd.yaml:3:3: "owner" is a word of the mapping language: choose another name',
    ),
    "a name with a space": (
        BASE + CONNECTION.replace("jira:", "my jira:"),
        'syncd.yaml:3:3: "my jira" cannot name a connection: use a-z, 0-9, - and _ only',
    ),
    "connection is text": (
        BASE + "connections:\n  docs: notion\n",
        (
            "syncd.yaml:3:9: a mapping (lines `key: value`) is expected here, "
            'not "notion": write a mapping (lines `key: value`)'
        ),
    ),
    "tab": (
        BASE + "connections:\n\tdocs: {}\n",
        "syncd.yaml:3:1: a tab stands here: indent with spaces",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_with_its_place(name):
    text, sentence = BAD[name]
    assert problems(text) == [sentence]


def test_a_token_in_the_file_is_not_shown_again():
    assert "ntn_123" not in "".join(problems(NOTION + "token: ntn_123}\n"))


def test_all_problems_are_reported_at_once():
    text = "interval: soon\nmapping: m.yaml\nconnections:\n  a: {type: jra}\n  b: {type: notion}\n"
    assert [line.split(": ")[0] for line in problems(text)] == [
        "syncd.yaml:1:11",
        "syncd.yaml:4:6",
        "syncd.yaml:4:13",
        "syncd.yaml:5:6",
    ]


def test_a_missing_file_and_a_directory(here):
    for path, sentence in (("none.yaml", "there is no such file"), (".", "this is a directory")):
        with pytest.raises(ConfigError, match=sentence):
            load(Path(path))


def test_the_reference_names_every_key():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text()
    for name in KEYS:
        assert f"`{name}`" in text
    for kind in registry.kinds():
        for name in registry.config_model(kind).model_fields:
            assert f"`{name}`" in text, f"{kind}: {name}"
    for how in SOURCES:
        assert f"{{{how}: " in text


def test_the_example_of_the_reference_can_be_used():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text()
    example = text.split("```yaml\n")[1].split("```")[0]
    assert set(load(written(example)).kinds) == {"jira", "asana", "notion"}
