"""What is shipped is what was tested, under terms that are known, and runs no strangers' code."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deepcolor.builtin.ddcolor import DDColor
from deepcolor.errors import HeicNotReadError
from deepcolor.training.errors import ExtraMissingError

ROOT = Path(__file__).parents[1]
FUNCTIONS = [ROOT / "functions" / name for name in ("bury", "dispatch", "sweep")]
LOCKED = [*FUNCTIONS, ROOT / "web"]
CODE = ("deepcolor", "functions", "infra", "web")

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause",
    "BSL-1.0", "CC0-1.0", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
}  # fmt: skip
ALLOWED_OF = {
    "LicenseRef-NVIDIA-Proprietary": r"nvidia-.*|cuda-toolkit",  # NVIDIA's own, with CUDA
    "GPL-2.0-only": "pillow-heif",  # docs/licenses.md says what follows from it
    "LGPL-3.0-only": "pillow-heif",
}


def entries(lock: Path) -> dict[str, str]:
    """What a lock says of each package, by its name."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    found = re.split(r"\n(?=\S)", text.strip())
    return {canonicalize_name(re.split(r"[=\s]", entry)[0]): entry for entry in found}


@pytest.mark.parametrize("folder", LOCKED, ids=lambda folder: folder.name)
def test_every_package_of_a_function_is_pinned_with_its_hashes(folder: Path) -> None:
    locked = entries(folder / "requirements.txt")
    assert "aws-lambda-powertools" in locked
    for entry in locked.values():
        assert re.fullmatch(r"[a-z0-9-]+==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+", entry), entry


@pytest.mark.parametrize("folder", LOCKED, ids=lambda folder: folder.name)
def test_the_functions_get_the_versions_that_the_tests_passed_with(folder: Path) -> None:
    pins = re.findall(r"^([^#\s=]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    tested = {canonicalize_name(name): version for name, version in pins}
    for name, entry in entries(folder / "requirements.txt").items():
        assert entry.startswith(f"{name}=={tested[name]} "), "run: functions/lock"


@pytest.mark.parametrize("folder", LOCKED, ids=lambda folder: folder.name)
def test_a_functions_lock_is_complete(folder: Path) -> None:
    """It is installed without asking what its packages need in turn."""
    locked = entries(folder / "requirements.txt").keys()
    environment = {name: str(value) for name, value in default_environment().items()}
    lambdas = environment | {"python_version": "3.13", "python_full_version": "3.13.0"}
    for name in locked:
        for needed in map(Requirement, requires(name) or ()):
            if needed.marker is None or needed.marker.evaluate(lambdas | {"extra": ""}):
                assert canonicalize_name(needed.name) in locked, f"{name} needs {needed}"


# ---- The name on PyPI, which is another project's


def test_nothing_asks_pip_for_the_strangers_package() -> None:
    texts = [path for room in (*CODE, "docs") for path in (ROOT / room).rglob("*.*")]
    for path in [*ROOT.glob("*.md"), *texts]:
        if path.suffix in {".html", ".md", ".py"}:
            advised = re.search(r"pip install (-\S+ )*['\"]?deepcolor\b", path.read_text())
            assert advised is None, path


def test_the_example_strategy_does_not_depend_on_it() -> None:
    project = tomllib.loads((ROOT / "docs/example-strategy/pyproject.toml").read_text())["project"]
    assert "deepcolor" not in {Requirement(text).name for text in project["dependencies"]}


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ("ddcolor", f"pip install {DDColor.card.extra.install}"),
        ("heic", str(HeicNotReadError("a.heic"))),
        ("train", str(ExtraMissingError())),
    ],
    ids=["ddcolor", "heic", "train"],
)
def test_what_is_advised_instead_is_what_the_extra_holds(extra: str, sentence: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    held = {one.name: one for one in map(Requirement, project["optional-dependencies"][extra])}
    [advised] = map(Requirement, re.findall(r"pip install ([\w.=-]*\w)", sentence))
    assert advised.name in held
    pinned = [pin for pin in held[advised.name].specifier if pin.operator == "=="]
    assert list(advised.specifier) == pinned


# ---- Terms

LICENSES = runpy.run_path(str(ROOT / "docs/licenses.py"))


def test_the_page_of_licenses_is_fresh() -> None:
    assert LICENSES["page"]() == LICENSES["PAGE"].read_text(), "run: make audit"


def test_nothing_is_shipped_under_terms_that_are_not_allowed() -> None:
    shipped = LICENSES["shipped"]()
    assert shipped.keys() >= {"torch", "pillow", "starlette", "boto3", "triton"}
    for name in shipped:
        for term in re.split(r" AND | OR ", LICENSES["license_of"](name)):
            of = ALLOWED_OF.get(term)
            allowed = re.fullmatch(of, name) is not None if of else term in ALLOWED
            assert allowed, f"{name} is under {term}"


# ---- Code


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the code that is shipped: where, of what, and how."""
    for room in CODE:
        for path in sorted((ROOT / room).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield f"{place}:{node.lineno}", ast.unparse(node.func), node


def test_weights_are_read_only_in_ways_that_run_no_code() -> None:
    loads = []
    for place, function, call in calls():
        keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
        if function in {"torch.load", "torch.hub.load_state_dict_from_url"}:
            assert keywords.get("weights_only") == "True", place
            loads.append(place)
        assert keywords.get("allow_pickle", "False") == "False", place
        assert function not in {"torch.jit.load", "torch.hub.load", "eval", "exec"}, place
        # ModelLoader reads what is no safetensors with a pickler of its own.
        assert not function.endswith(("load_from_file", "trust_remote_code")), place
    assert loads, "no weights are loaded"


def test_nothing_imports_what_unpickles() -> None:
    unpicklers = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for room in CODE:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported = {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported = {str(node.module).split(".")[0]}
                else:
                    continue
                assert not imported & unpicklers, path


def test_no_command_goes_through_a_shell() -> None:
    for place, function, call in calls():
        keywords = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert keywords.get("shell", "False") == "False", place
        assert function not in {"os.system", "os.popen"}, place
