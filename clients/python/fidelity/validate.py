"""Validates JSON against the shapes of a botocore service model, strictly.

No unknown members but those that were recorded from the service, unions with
exactly one member, enums known, required members present, types, ranges and
patterns as the model has them.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

# Members that the service sends and its model does not have.
RECORDED_MEMBERS: dict[str, dict[str, type]] = {
    "TokenUsage": {
        "cacheReadInputTokenCount": int,
        "cacheWriteInputTokenCount": int,
        "serverToolUsage": dict,
    },
}
# Values that the service sends and its enums do not list, by shape: tool uses in recordings, and
# what public listings of foundation models show.
RECORDED_VALUES: dict[str, set[str]] = {
    "ToolUseType": {"tool_use"},
    "InferenceType": {"INFERENCE_PROFILE"},
    "ModelModality": {"AUDIO", "SPEECH", "VIDEO"},
}
# Strings that the service sends longer, or with other characters, than it takes them: names such as
# `Titan Text Embeddings V2`, descriptions that list regions with commas, ids of traces that are a
# UUID and the number of a step, and `agent-alias/INLINE_AGENT/…`.
RECORDED_FREE = {
    "AgentAliasArn",
    "BrandedName",
    "InferenceProfileDescription",
    "InferenceProfileName",
    "TraceId",
}

Problems = list[str]


def response(
    operation: OperationModel, headers: dict[str, str], body: Any, *, sorted_members: bool = False
) -> Problems:
    """Problems of an answer that is not a stream: its headers (names in lower case) and body."""
    output = operation.output_shape
    problems = bound_headers(output, headers)
    payload = output.serialization.get("payload")
    if payload is None:
        return problems + structure(output, body, operation.name, sorted_members=sorted_members)
    shape = output.members[payload]
    if shape.type_name == "blob":
        return problems  # A native body, which the model leaves open.
    return problems + value(shape, body, operation.name, sorted_members=sorted_members)


def bound_headers(output: StructureShape, headers: dict[str, str]) -> Problems:
    """Problems of the members that travel in headers."""
    problems = []
    for name, member in output.members.items():
        if member.serialization.get("location") != "header":
            continue
        header = member.serialization["name"].lower()
        if header in headers:
            found: Any = headers[header]
            if member.type_name in ("integer", "long"):
                found = int(found)
            problems += value(member, found, f"header {header}")
        elif name in output.required_members:
            problems.append(f"the header {header} is missing")
    return problems


def value(shape: Shape, found: Any, at: str, *, sorted_members: bool = False) -> Problems:
    """Problems of `found` as a value of `shape`."""
    if isinstance(shape, StructureShape):
        if shape.metadata.get("document"):
            return []
        return structure(shape, found, at, sorted_members=sorted_members)
    if isinstance(shape, ListShape):
        if not isinstance(found, list):
            return [f"{at} is no list: {found!r}"]
        problems = bounds(shape, len(found), at)
        for index, item in enumerate(found):
            problems += value(shape.member, item, f"{at}[{index}]", sorted_members=sorted_members)
        return problems
    if isinstance(shape, MapShape):
        if not isinstance(found, dict):
            return [f"{at} is no map: {found!r}"]
        problems = bounds(shape, len(found), at)
        for key, item in found.items():
            problems += value(shape.key, key, f"{at} key")
            problems += value(shape.value, item, f"{at}.{key}", sorted_members=sorted_members)
        return problems
    return scalar(shape, found, at)


def structure(
    shape: StructureShape,
    found: Any,
    at: str,
    *,
    sorted_members: bool = False,
    also: frozenset[str] = frozenset(),
) -> Problems:
    """Problems of `found` as a structure in a body, which may have the members `also` too."""
    if not isinstance(found, dict):
        return [f"{at} is no structure: {found!r}"]
    problems = []
    if sorted_members and list(found) != sorted(found):
        problems.append(f"the members of {at} are not in alphabetical order: {list(found)}")
    members = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }
    recorded = RECORDED_MEMBERS.get(shape.name, {})
    for key, item in found.items():
        if key in members:
            _, member = members[key]
            problems += value(member, item, f"{at}.{key}", sorted_members=sorted_members)
        elif key in recorded:
            if type(item) is not recorded[key]:
                problems.append(f"{at}.{key} is no {recorded[key].__name__}: {item!r}")
        elif key not in also:
            problems.append(f"{at} has a member that {shape.name} has not: {key}")
    for key, (name, _) in members.items():
        if name in shape.required_members and key not in found:
            problems.append(f"{at} lacks {key}")
    if shape.is_tagged_union and len(found) != 1:
        problems.append(f"{at} is a union and has the members {list(found)}")
    return problems


def scalar(shape: Shape, found: Any, at: str) -> Problems:
    kind = shape.type_name
    if kind in ("string", "character"):
        return string(shape, found, at)
    if kind in ("integer", "long", "short", "byte"):
        if type(found) is not int:
            return [f"{at} is no whole number: {found!r}"]
        return bounds(shape, found, at)
    if kind in ("float", "double"):
        if type(found) not in (int, float):
            return [f"{at} is no number: {found!r}"]
        return bounds(shape, found, at)
    if kind == "boolean":
        return [] if type(found) is bool else [f"{at} is no boolean: {found!r}"]
    if kind == "blob":
        try:
            base64.b64decode(found, validate=True)
        except (TypeError, ValueError, binascii.Error):
            return [f"{at} is no base64: {found!r}"]
        return []
    if kind == "timestamp":
        return timestamp(shape, found, at)
    return [f"{at} is a {kind}, which is not checked"]


def string(shape: Shape, found: Any, at: str) -> Problems:
    if not isinstance(found, str):
        return [f"{at} is no string: {found!r}"]
    if shape.name in RECORDED_FREE or found in RECORDED_VALUES.get(shape.name, ()):
        return []
    problems = bounds(shape, len(found), at)
    values = getattr(shape, "enum", [])
    if values and found not in values:
        problems.append(f"{at} is {found!r}, which is not of {values}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.search(f"^(?:{pattern})$", found, re.DOTALL):
        problems.append(f"{at} is {found!r}, which does not match {pattern}")
    return problems


def bounds(shape: Shape, size: float, at: str) -> Problems:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        return [f"{at} is {size}, which is not in {low}..{high}"]
    return []


def timestamp(shape: Shape, found: Any, at: str) -> Problems:
    if shape.serialization.get("timestampFormat") == "iso8601":
        try:
            datetime.datetime.fromisoformat(found.replace("Z", "+00:00"))
        except (AttributeError, ValueError):
            return [f"{at} is no ISO 8601 time: {found!r}"]
        return []
    return [] if type(found) in (int, float) else [f"{at} is no time in seconds: {found!r}"]
