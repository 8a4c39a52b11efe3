from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from syncd.core.errors import ConfigError, Place
from syncd.secrets import Secret, SecretSource, read

PLACE = Place("syncd.yaml", 4, 12)
CANARY = "canary-7f3a"


def source(how: str, name: str) -> SecretSource:
    return SecretSource(how, name, PLACE)


def refused(how: str, name: str, directory) -> str:
    with pytest.raises(ConfigError) as caught:
        read(source(how, name), directory)
    return str(caught.value)


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text(CANARY + "\n")
    path.chmod(0o600)
    return path


def test_a_private_file_is_read_without_its_line_end(token, tmp_path):
    assert read(source("file", "token"), tmp_path).reveal() == CANARY
    token.write_bytes(CANARY.encode() + b"\r\n")
    assert read(source("file", str(token)), tmp_path / "elsewhere").reveal() == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o644, 0o610])
def test_a_file_open_to_others_is_refused(token, tmp_path, mode):
    token.chmod(mode)
    assert refused("file", "token", tmp_path) == (
        f"syncd.yaml:4:12: the secret file {token} is open to other users: run `chmod 600 {token}`"
    )


def test_files_that_hold_no_token(token, tmp_path):
    token.write_text(" \n")
    assert refused("file", "token", tmp_path).endswith(
        "the file token is empty: put the token into it"
    )
    token.write_text("a\nb\n")
    assert refused("file", "token", tmp_path).endswith(
        "the file token has several lines: keep the token only"
    )
    token.write_bytes(b"\xff\xfe")
    assert refused("file", "token", tmp_path).endswith("is not text: put only the token in")
    assert refused("file", "none", tmp_path).endswith("none is not there: create it")
    (tmp_path / "folder").mkdir(mode=0o700)
    assert refused("file", "folder", tmp_path).endswith("is a directory: name a file in it")


def test_an_environment_variable_is_read_with_a_warning(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("SYNCD_TEST_TOKEN", CANARY)
    with caplog.at_level(logging.WARNING):
        assert read(source("env", "SYNCD_TEST_TOKEN"), tmp_path).reveal() == CANARY
    assert "every child process inherits" in caplog.text
    assert CANARY not in caplog.text
    monkeypatch.delenv("SYNCD_TEST_TOKEN")
    assert refused("env", "SYNCD_TEST_TOKEN", tmp_path).endswith("is not set: set it")


def test_a_systemd_credential_is_read(monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    path = tmp_path / "jira"
    path.write_text(CANARY)
    path.chmod(0o440)  # as systemd sets it for a service with its own user
    assert read(source("credential", "jira"), tmp_path / "x").reveal() == CANARY
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert "was not started by systemd" in refused("credential", "jira", tmp_path)


def test_only_the_environment_has_a_caution():
    assert source("file", "x").caution is None
    assert source("credential", "x").caution is None
    assert "syncd.yaml:4:12" in str(source("env", "x").caution)


@pytest.mark.parametrize(
    "leak",
    [
        str,
        lambda secret: f"{secret}",
        lambda secret: f"{secret:>20}",
        lambda secret: "%s" % secret,  # noqa: UP031 - that is what is tried
        json.dumps,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        vars,
        hash,
    ],
)
def test_a_secret_does_not_get_out(leak):
    with pytest.raises(TypeError) as caught:
        leak(Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_secret_shows_a_fixed_word():
    assert repr(Secret(CANARY)) == "<secret>"
    assert repr([Secret(CANARY)]) == "[<secret>]"


def test_secrets_compare_by_value():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("é") != "é"
