from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from deepcolor import __version__
from deepcolor.cli.main import COMMANDS

HEAVY = {"torch", "numpy", "PIL", "safetensors"}


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command imports, asked in a fresh interpreter."""
    code = (
        "import sys\n"
        "from deepcolor.cli import main\n"
        f"main({list(arguments)!r}, standalone_mode=False)\n"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["colorize", "--help"], ["weights", "path"]],
    ids=" ".join,
)
def test_nothing_heavy_is_imported_for(arguments: list[str]) -> None:
    loaded = loaded_by(*arguments)
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("arguments", [["strategies"], ["weights", "list"]], ids=" ".join)
def test_no_torch_is_imported_for(arguments: list[str]) -> None:
    assert "torch" not in loaded_by(*arguments)


def test_importing_the_library_imports_no_torch() -> None:
    code = "import sys, deepcolor; assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_librarys_rooms_that_the_docs_name_are_there() -> None:
    code = "import deepcolor; deepcolor.errors.DeepcolorError; deepcolor.program.import_pytorch"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_version(run: Any) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"deepcolor, version {__version__}\n")


def test_help_lists_the_commands(run: Any) -> None:
    for flag in ("--help", "-h"):
        result = run(flag)
        assert result.exit_code == 0
        for command, what_it_does in COMMANDS.items():
            assert f"\n  {command} " in result.stdout
            assert what_it_does in result.stdout  # and is not cut short


def test_the_help_imports_no_command() -> None:
    assert loaded_by("--help") & {f"deepcolor.cli.{command}" for command in COMMANDS} == set()
    assert "deepcolor.cli.doctor" in loaded_by("doctor", "--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_there(run: Any, command: str) -> None:
    """And says of itself what the list of commands says of it."""
    result = run(command, "--help")
    assert result.exit_code == 0
    usage, _, what_it_does, *_ = result.stdout.splitlines()
    assert f" {command} [OPTIONS]" in usage
    assert what_it_does.strip() == COMMANDS[command]


def test_the_installed_command(tmp_path: Any) -> None:
    from importlib.metadata import entry_points

    [point] = entry_points(group="console_scripts", name="deepcolor")
    assert point.value == "deepcolor.cli:main"
    assert callable(point.load())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-s", "colornet", "lost.jpg"], "lost.jpg cannot be read"),
        (["-o", "colored", "lost.jpg"], "lost.jpg cannot be read"),
        (["--size", "128", "lost.jpg"], "lost.jpg cannot be read"),
        (["--", "-lost.jpg"], "-lost.jpg cannot be read"),
        (["--json", "lost"], '"message": "lost cannot be read'),
        (["--colour", "lost.jpg"], "No such option"),
        (["-s", "colornet"], "Missing argument 'PATHS...'"),
        (["evalute"], "There is no command or photograph 'evalute'; did you mean 'evaluate'?"),
        (["lost", "-o", "colored"], "There is no command or photograph 'lost'"),
    ],
)
def test_the_shorthand_takes_options_first(run: Any, arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code in {1, 2}
    assert sentence in result.output


def test_listings_on_a_terminal_that_lacks_letters(shell: Any) -> None:
    done = shell("strategies", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "vividness 0\\u20262" in done.stdout
