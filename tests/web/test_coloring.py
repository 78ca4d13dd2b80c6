from __future__ import annotations

import json
from typing import Any

import pytest

from functions.contract.manifest import Manifest
from web.coloring import MAX_HINTS, MAX_PIXEL, Coloring, hints_of
from web.problems import Problem

KNOBS = [
    {"name": "vividness", "low": 0, "default": 1, "high": 2},
    {"name": "size", "low": 64, "default": 256, "high": 1024},
]
PLAIN = {"knobs": [], "hints": False}
MANIFEST = Manifest.parse(
    json.dumps(
        {
            "default": "good",
            "strategies": [
                {"name": "good", "ready": True, "knobs": KNOBS, "hints": True},
                {"name": "plain", "ready": True} | PLAIN,
                {"name": "absent", "ready": False, "problem": "Its weights are missing."} | PLAIN,
            ],
        }
    )
)
HINT = {"x": 120, "y": 80, "color": "#c84b31"}


def parse(**data: Any) -> Coloring:
    return Coloring.parse({"strategy": "good"} | data, MANIFEST)


def refusal(**data: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(**data)
    assert caught.value.detail.endswith(".")
    return caught.value


@pytest.mark.parametrize("strategy", [None, "", "nobody", ["good"]])
def test_unknown_strategy(strategy: object) -> None:
    problem = refusal(strategy=strategy)
    assert (problem.status, problem.code) == (422, "unknown-strategy")
    assert problem.detail.endswith("; there are: good, plain, absent.")


def test_a_strategy_that_is_not_ready_says_why() -> None:
    problem = refusal(strategy="absent")
    assert (problem.status, problem.detail) == (409, "Its weights are missing.")


def test_nothing_turned() -> None:
    assert parse() == Coloring("good", {}, [])
    assert parse().metadata("7") == {"strategy": "good", "correlation-id": "7"}


def test_knobs() -> None:
    assert parse(knobs={"vividness": 2, "size": 64}).knobs == {"vividness": 2, "size": 64}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (0.5, "0.5"), (0.00012, "0.0001"), (1e-9, "0"), (2, "2"), (0, "0")],
)
def test_knobs_are_told_as_decimal_numbers(value: float, text: str) -> None:
    coloring = parse(knobs={"vividness": value, "size": 640})
    assert coloring.metadata("7")["vividness"] == text
    assert coloring.metadata("7")["size"] == "640"
    assert float(text) == coloring.knobs["vividness"]


@pytest.mark.parametrize(
    "value", [-0.1, 2.1, "1", True, None, [], float("nan"), float("inf"), 10**400]
)
def test_knobs_out_of_range(value: object) -> None:
    problem = refusal(knobs={"vividness": value})
    assert (problem.status, problem.code) == (422, "knob-out-of-range")
    assert problem.detail == f"vividness must be a number between 0 and 2, not {value!r:.60}."


def test_a_knob_that_the_strategy_lacks() -> None:
    problem = refusal(knobs={"boldness": 1})
    assert (problem.status, problem.code) == (422, "unknown-knob")
    assert problem.detail == (
        "The strategy 'good' has no knob 'boldness'; it takes: vividness, size."
    )
    problem = refusal(strategy="plain", knobs={"vividness": 1})
    assert problem.detail == "The strategy 'plain' has no knob 'vividness'; it takes: none."


@pytest.mark.parametrize("knobs", [None, [], "vividness", 1])
def test_knobs_that_are_none(knobs: object) -> None:
    assert refusal(knobs=knobs).code == "invalid"


def test_hints() -> None:
    coloring = parse(hints=[HINT, {"x": 0, "y": MAX_PIXEL, "color": "#ABCDEF", "more": 1}])
    assert coloring.hints == [HINT, {"x": 0, "y": MAX_PIXEL, "color": "#abcdef"}]
    assert coloring.metadata("7")["hints"] == f"120,80,#c84b31 0,{MAX_PIXEL},#abcdef"


def test_hints_as_records_tell_them() -> None:
    told = parse(hints=[HINT, HINT | {"x": MAX_PIXEL}]).metadata("7")["hints"].split()
    assert hints_of(told) == [HINT, HINT | {"x": MAX_PIXEL}]
    assert hints_of(["nonsense", "1,2,red", "120,80,#C84B31"]) == [HINT]


@pytest.mark.parametrize(
    "hint",
    [
        *[None, 7, [], {}, "120,80,#c84b31", {"x": 1, "y": 1}],
        *[HINT | {"x": -1}, HINT | {"x": 1.5}, HINT | {"x": True}, HINT | {"y": "1"}],
        *[HINT | {"y": MAX_PIXEL + 1}, HINT | {"color": "red"}, HINT | {"color": "#c84b3"}],
        *[HINT | {"color": "#c84b31\n"}, HINT | {"color": "#c84b3١"}, HINT | {"color": None}],
    ],
)
def test_malformed_hints(hint: object) -> None:
    problem = refusal(hints=[HINT, hint])
    assert (problem.status, problem.code) == (422, "malformed-hint")
    assert problem.detail.startswith("Hint 2 must look like {")


@pytest.mark.parametrize("hints", [None, {}, "x", 1])
def test_hints_that_are_none(hints: object) -> None:
    assert refusal(hints=hints).code == "invalid"


def test_the_most_hints_fit_into_the_metadata() -> None:
    farthest = {"x": MAX_PIXEL, "y": MAX_PIXEL, "color": "#ffffff"}
    most = parse(knobs={"vividness": 0.1234, "size": 1023.1234}, hints=[farthest] * MAX_HINTS)
    metadata = most.metadata("7" * 26)
    assert sum(len(name) + len(value) for name, value in metadata.items()) < 2048
    problem = refusal(hints=[farthest] * (MAX_HINTS + 1))
    assert (problem.status, problem.code) == (422, "too-many-hints")
    assert "up to 64 color hints; these are 65" in problem.detail


def test_hints_for_a_strategy_that_takes_none() -> None:
    problem = refusal(strategy="plain", hints=[HINT])
    assert (problem.status, problem.code) == (422, "hints-not-taken")
    assert problem.detail == "The strategy 'plain' takes no hints; these do: good."
    assert parse(strategy="plain", hints=[]).hints == []


def test_of_a_form() -> None:
    fields = {"strategy": "good", "vividness": "1.5", "size": ""}
    assert Coloring.of_form(fields, MANIFEST) == Coloring("good", {"vividness": 1.5}, [])
    for text, said in (("much", "'much'"), ("nan", "nan"), ("7", "7.0")):
        with pytest.raises(Problem, match=f"vividness must be a number .*, not {said}"):
            Coloring.of_form(fields | {"vividness": text}, MANIFEST)
    with pytest.raises(Problem, match="A photograph needs the name of a strategy; there are: "):
        Coloring.of_form({}, MANIFEST)
