from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from mappings.positions import parse
from mappings.reference import main, page, schema_json, stale
from mappings.schema import MappingFile
from syncd.core.errors import MappingError
from syncd.core.fields import CATALOGUE

RULES = sorted((Path(__file__).parents[2] / "mappings" / "rules").glob("*.yaml"))


def test_the_generated_files_are_fresh():
    assert stale() == [], "run `python -m mappings.reference`"
    assert main(["--check"]) == 0


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_the_starter_mappings_follow_the_json_schema(path):
    data = parse(path.read_bytes(), path.name, MappingError).data
    jsonschema.validate(data, json.loads(schema_json()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"roadmp": "x"},
        {"items": {"epic": {}}},
        {"items": {"feature": {"jira": {"projcts": ["A"]}}}},
        {"fields": {"status": {"jira": {"feild": "x"}}}},
        {"fields": {"status": {"jira": ["x"]}}},
        {"limits": {"shrink": "half"}},
    ],
)
def test_the_json_schema_refuses_what_the_loader_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json.loads(schema_json()))


def test_the_json_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_json()))


def test_the_page_names_every_key_and_field():
    text = page()
    for name in [*MappingFile.model_fields, *CATALOGUE]:
        assert f"`{name}`" in text
    assert max(map(len, text.splitlines())) < 400
