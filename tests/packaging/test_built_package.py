"""What `uv build` makes is whole: it installs into an empty place and does the job from there."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(600)]

PROJECT = Path(__file__).parents[2]
PACKAGES = ("syncd", "adapters", "mappings", "state")
EPOCH = "1750000000"
"""A fixed moment for the time stamps inside the archives."""


def clean_environment(**more: str) -> dict[str, str]:
    """Return this environment without what would lead to the checkout or its tools."""
    leading = ("PYTHON", "VIRTUAL_ENV", "UV_PROJECT", "SYNCD", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leading)}
    return {**kept, "PYTHONWARNINGS": "error::ResourceWarning", **more}


def run(*command: object, cwd: Path, ok: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_environment(**more),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == ok, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def uv() -> str:
    found = os.environ.get("SYNCD_UV") or shutil.which("uv")
    if not found:
        pytest.skip("uv is not installed: run `./dev check`, which brings it, or set SYNCD_UV")
    return found


def build(uv: str, source: Path, to: Path) -> tuple[Path, Path]:
    """Build a source archive, and the wheel from that archive; returns (archive, wheel)."""
    run(uv, "build", "--quiet", "--out-dir", to, source, cwd=to.parent, SOURCE_DATE_EPOCH=EPOCH)
    (archive,) = to.glob("*.tar.gz")
    (wheel,) = to.glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="session")
def built(uv, tmp_path_factory) -> tuple[Path, Path]:
    return build(uv, PROJECT, tmp_path_factory.mktemp("built") / "dist")


def wheel_names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def sources(*below: str) -> set[str]:
    """Return the Python files of the checkout below these folders, as a wheel names them."""
    found = (path for name in below for path in (PROJECT / name).rglob("*.py"))
    return {path.relative_to(PROJECT).as_posix() for path in found}


# what is inside -------------------------------------------------------------------------------------


def test_the_wheel_holds_all_four_packages_and_nothing_else(built):
    names = wheel_names(built[1])
    assert sources(*PACKAGES) <= names
    tops = {name.split("/")[0] for name in names}
    extra = {top for top in tops if not top.startswith("syncd-")}
    assert extra == set(PACKAGES)


def test_the_wheel_says_that_it_is_typed(built):
    assert {f"{package}/py.typed" for package in PACKAGES} <= wheel_names(built[1])


def test_the_wheel_holds_the_mappings_and_their_schema(built):
    rules = {f"mappings/rules/{path.name}" for path in PROJECT.glob("mappings/rules/*.yaml")}
    assert rules
    assert rules | {"mappings/schema.json"} <= wheel_names(built[1])


def test_the_wheel_holds_the_migrations(built):
    migrations = sources("state/migrations")
    assert any("/versions/v0001" in name for name in migrations)
    assert migrations <= wheel_names(built[1])


def test_the_wheel_brings_the_unit_file_and_the_licence(built):
    names = wheel_names(built[1])
    units = {path.name for path in PROJECT.glob("systemd/*.service")}
    assert units
    for unit in units:
        assert any(name.endswith(f".data/data/share/syncd/systemd/{unit}") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_source_archive_holds_tests_and_documents(built):
    with tarfile.open(built[0]) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "dev"}
    tests = {path.relative_to(PROJECT).as_posix() for path in PROJECT.glob("tests/packaging/*.py")}
    assert wanted | tests <= names
    assert not [name for name in names if name.startswith((".venv", "dist", ".git/"))]


def test_two_builds_give_the_same_bytes(uv, built, tmp_path):
    again = build(uv, PROJECT, tmp_path / "dist")
    for first, second in zip(built, again, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes()


def test_the_source_archive_builds_the_same_wheel(uv, built, tmp_path):
    # extractall() takes a filter from Python 3.11.4 on only, and warns later without one
    subprocess.run(["tar", "-xzf", built[0], "-C", tmp_path], check=True)
    (unpacked,) = tmp_path.iterdir()
    _archive, wheel = build(uv, unpacked, tmp_path / "dist")
    assert wheel.read_bytes() == built[1].read_bytes()


# installed ------------------------------------------------------------------------------------------


def install(uv: str, wheel: Path, at: Path, extra: str = "") -> Path:
    """Install the wheel into an environment of its own; returns the folder of its programs."""
    venv = at / "venv"
    run(uv, "venv", "--quiet", "--python", sys.executable, venv, cwd=at)
    programs = venv / "bin"
    what = f"syncd{extra} @ {wheel.as_uri()}"
    run(uv, "pip", "install", "--quiet", "--python", programs / "python", what, cwd=at)
    return programs


@pytest.fixture(scope="session")
def with_sandbox(uv, built, tmp_path_factory) -> Path:
    return install(uv, built[1], tmp_path_factory.mktemp("full"), "[sandbox]")


@pytest.fixture(scope="session")
def without_sandbox(uv, built, tmp_path_factory) -> Path:
    return install(uv, built[1], tmp_path_factory.mktemp("bare"))


def test_it_says_its_version(with_sandbox, built, tmp_path):
    version = built[1].name.split("-")[1]
    assert run(with_sandbox / "syncd", "--version", cwd=tmp_path).stdout == f"syncd {version}\n"


def test_it_helps_without_the_extra_packages(without_sandbox, tmp_path):
    shown = run(without_sandbox / "syncd", "--help", cwd=tmp_path).stdout
    for command in ("demo", "check", "plan", "apply", "run", "status", "explain"):
        assert f"  {command}  " in shown


def test_the_demonstration_runs_from_another_folder(with_sandbox, tmp_path):
    elsewhere = tmp_path / "a folder with spaces"
    elsewhere.mkdir()
    done = run(with_sandbox / "syncd", "demo", "--once", cwd=elsewhere)
    assert done.stdout.splitlines()[-1] == "last cycle: 0 writes"
    assert "feature: Fleet map" in done.stdout
    assert list(elsewhere.iterdir()) == []


def test_without_the_sandbox_packages_the_demonstration_says_what_to_install(
    without_sandbox, tmp_path
):
    done = run(without_sandbox / "syncd", "demo", "--once", cwd=tmp_path, ok=2)
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert "syncd[sandbox]" in sentence


def test_a_state_file_can_be_made_by_the_installed_package(without_sandbox, tmp_path):
    code = (
        "import pathlib, state.store; opened = state.store.open(pathlib.Path('s.db'));"
        "print(opened.item_count()); opened.close()"
    )
    done = run(without_sandbox / "python", "-c", code, cwd=tmp_path)
    assert done.stdout == "0\n"
    assert stat.S_IMODE((tmp_path / "s.db").stat().st_mode) == 0o600


def test_the_installed_migrations_can_be_run(without_sandbox, tmp_path):
    code = (
        "from alembic.config import Config; from alembic.script import ScriptDirectory;"
        "from state.migrate import SCRIPTS; from state.tables import SCHEMA;"
        "config = Config(); config.set_main_option('script_location', str(SCRIPTS));"
        "heads = ScriptDirectory.from_config(config).get_heads();"
        "assert heads == [f'{SCHEMA:04}'], heads"
    )
    run(without_sandbox / "python", "-c", code, cwd=tmp_path)


def test_the_unit_file_is_installed(without_sandbox):
    share = without_sandbox.parent / "share" / "syncd" / "systemd"
    for unit in PROJECT.glob("systemd/*.service"):
        assert (share / unit.name).read_bytes() == unit.read_bytes()


def test_nothing_for_development_is_installed(without_sandbox, tmp_path):
    code = (
        "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    )
    installed = set(run(without_sandbox / "python", "-c", code, cwd=tmp_path).stdout.split())
    assert "syncd" in installed
    assert not installed & {"pytest", "mypy", "ruff", "hypothesis", "starlette", "uvicorn"}
