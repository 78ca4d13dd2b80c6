"""The template as data, for the tests that ask it questions."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


class TemplateLoader(yaml.SafeLoader):
    """Reads ``!Ref x`` as ``{"Ref": "x"}`` and so on."""


def _intrinsic(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


TemplateLoader.add_multi_constructor("!", _intrinsic)

TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), TemplateLoader)
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in RESOURCES.items()
        if resource["Type"] == kind
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All that a role may do, whatever the conditions."""
    for policy in role.get("Policies", []):
        for entry in policy["PolicyDocument"]["Statement"]:
            if "Fn::If" in entry:
                yield from (branch for branch in entry["Fn::If"][1:] if "Effect" in branch)
            else:
                yield entry


def got_from(value: Any) -> str:
    """The resource of a ``!GetAtt``."""
    return str(value["Fn::GetAtt"]).partition(".")[0]


def counted_by_filters(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How often each metric filter counts, as CloudWatch would, in lines of the worker's log."""
    lines = list(lines)
    return {
        properties["MetricTransformations"][0]["MetricName"]: sum(
            _matches(properties["FilterPattern"], line) for line in lines
        )
        for properties in of_type("AWS::Logs::MetricFilter").values()
    }


def _matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Of CloudWatch's patterns those that compare strings."""

    def compared(found: re.Match[str]) -> str:
        value = functools.reduce(lambda inner, name: inner.get(name, {}), found[1].split("."), line)
        return str(value == found[2])

    inner = pattern.strip().removeprefix("{").removesuffix("}")
    text = re.sub(r'\$\.([\w.]+) = "([^"*]*)"', compared, inner)
    return bool(eval(text.replace("&&", "and").replace("||", "or").strip()))
