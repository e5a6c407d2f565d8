"""The objects of SARIF 2.1.0 that are written, with the members that the standard's schema gives them.

Stricter than that schema in one way: a member that we do not write is refused, though the standard may know it.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
"""

from __future__ import annotations

from typing import Any

__all__ = ["SARIF"]


def _object(required: tuple[str, ...], **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": members,
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_MESSAGE = _object(("text",), text=_TEXT)
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_LOCATION = _object(
    (),
    id={"type": "integer", "minimum": -1},
    physicalLocation=_object(
        ("artifactLocation",),
        artifactLocation=_object(("uri",), uri={"type": "string", "format": "uri-reference"}),
        region=_object(("startLine",), startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations={
        "type": "array",
        "items": _object((), fullyQualifiedName=_TEXT, kind=_TEXT),
        "uniqueItems": True,
    },
)
_RULE = _object(
    ("id",),
    id=_TEXT,
    shortDescription=_MESSAGE,
    help=_MESSAGE,
    helpUri={"type": "string", "format": "uri"},
    defaultConfiguration=_object((), level=_LEVEL),
)
_RESULT = _object(
    ("message",),
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=_LEVEL,
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION},
    relatedLocations={"type": "array", "items": _LOCATION, "uniqueItems": True},
    partialFingerprints={"type": "object", "additionalProperties": _TEXT},
    suppressions={
        "type": "array",
        "items": _object(("kind",), kind={"enum": ["inSource", "external"]}),
        "uniqueItems": True,
    },
)
_RUN = _object(
    ("tool",),
    tool=_object(
        ("driver",),
        driver=_object(
            ("name",),
            name=_TEXT,
            version=_TEXT,
            informationUri={"type": "string", "format": "uri"},
            rules={"type": "array", "items": _RULE, "uniqueItems": True},
        ),
    ),
    invocations={
        "type": "array",
        "items": _object(
            ("executionSuccessful",),
            executionSuccessful={"type": "boolean"},
            startTimeUtc={"type": "string", "format": "date-time"},
        ),
    },
    results={"type": "array", "items": _RESULT},
)
SARIF = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_object(
        ("version", "runs"),
        **{"$schema": {"type": "string", "format": "uri"}},
        version={"const": "2.1.0"},
        runs={"type": "array", "items": _RUN},
    ),
}
