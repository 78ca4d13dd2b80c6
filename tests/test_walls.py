"""What each room may know, as docs/architecture.md draws it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = {"deepcolor", "torch"}


def imports(source: str) -> Iterator[str]:
    """The full names of the modules that a source imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))


def known(folder: str, *, but: str | tuple[str, ...] = ()) -> dict[str, set[str]]:
    """What is imported below a folder: module names to the files that import them."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(but):
            continue
        for name in imports(path.read_text()):
            found.setdefault(name, set()).add(place)
    assert found, f"there is nothing in {folder}"
    return found


def of(rooms: set[str], modules: dict[str, set[str]]) -> dict[str, set[str]]:
    """Those of ``modules`` that lie in ``rooms``."""
    return {
        name: files
        for name, files in modules.items()
        if any(name == room or name.startswith(f"{room}.") for room in rooms)
    }


def test_imports_of_every_kind_are_seen() -> None:
    source = """
import a.b, c as d
from e import f
def later():
    import g
    if 1:
        from h.i import (j, k)
    importlib.import_module("l")
"""
    assert set(imports(source)) == {"a.b", "c", "e", "e.f", "g", "h.i", "h.i.j", "h.i.k", "l"}


def test_the_library_knows_no_cloud() -> None:
    cloud = {"boto3", "botocore", "starlette", "aws_lambda_powertools", "mypy_boto3_s3"}
    assert of({"functions", "web", "infra"}, known("deepcolor")) == {}
    # Only weights may come out of a bucket, and only there.
    assert of(cloud, known("deepcolor", but="deepcolor/transport.py")) == {}


def test_the_strategies_know_nothing_of_files_the_command_line_or_each_other() -> None:
    rooms = [path.parent for path in (ROOT / "deepcolor/builtin").glob("*/__init__.py")]
    assert {room.name for room in rooms} >= {"colornet", "richzhang"}
    # Some networks are fed gray sRGB, and one draws in it.
    common = {"deepcolor.card", "deepcolor.lab", "deepcolor.strategy"}
    for room in rooms:
        own = {f"deepcolor.builtin.{room.name}"}
        used = of({"deepcolor"}, known(str(room.relative_to(ROOT))))
        assert used.keys() - of(common | own, used).keys() == set()


def test_planning_knows_no_network_and_decodes_nothing() -> None:
    heavy = {"torch", "PIL", "numpy", "deepcolor.colorizer", "deepcolor.photograph"}
    decoding = ("deepcolor/files/coloring.py", "deepcolor/files/sheet.py")
    assert of(heavy, known("deepcolor/files", but=decoding)) == {}
    for room in ("deepcolor/disk.py", "deepcolor/formats.py"):  # on which it stands
        assert of(heavy, {name: {room} for name in imports((ROOT / room).read_text())}) == {}


def test_of_the_functions_only_colorize_knows_the_library() -> None:
    assert of(LIBRARY, known("functions", but="functions/colorize/")) == {}
    assert of(LIBRARY, known("functions/colorize")) != {}


def test_the_contract_knows_no_function() -> None:
    functions = {f"functions.{name}" for name in SHARED} | FRAME
    assert of(functions | {"web", "infra"}, known("functions/contract")) == {}


FRAME = {"functions.messages", "functions.telemetry"}
WORKERS = {"functions.workers", "functions.telemetry"}
SHARED = {
    "dispatch": FRAME | WORKERS,
    "sweep": WORKERS,
    "bury": FRAME,
    "colorize": set[str](),
    "workers": set[str](),
}


@pytest.mark.parametrize("name", SHARED)
def test_the_functions_know_only_what_they_share_of_each_other(name: str) -> None:
    used = of({"functions", "web", "infra"}, known(f"functions/{name}"))
    allowed = of({f"functions.{name}", "functions.contract", *SHARED[name]}, used)
    assert used.keys() - allowed.keys() == set()


def test_the_page_knows_the_contract_and_no_torch() -> None:
    used = known("web")
    assert of(LIBRARY | {"infra"}, used) == {}
    rooms = of({"functions"}, used)
    assert rooms.keys() - of({"functions.contract"}, rooms).keys() == set()


@pytest.mark.parametrize("room", ["deepcolor", "functions", "web"])
def test_nothing_knows_the_infrastructure(room: str) -> None:
    assert of({"infra"}, known(room)) == {}
