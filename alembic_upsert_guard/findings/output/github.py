"""Findings as annotations on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding import sentences
from .grouping import describe_subject, grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..finding import Finding

__all__ = ["as_github"]


def as_github(findings: Sequence[Finding]) -> list[str]:
    """Return a workflow command a finding, which GitHub shows beside the line that it is about.

    What is so in many schemas alike is one, as in text. A finding of a database is shown where its key is declared.
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return [_annotation(group) for group in grouped(findings)]


def _annotation(group: Sequence[Finding]) -> str:
    finding = group[0]
    place = finding.file_location
    properties = {"title": finding.code.value}
    if place is not None:
        properties = {
            "file": place.repository_path,
            "line": str(place.line),
            **properties,
        }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{finding.severity} {listed}::{_escaped(sentences(_fact(group), finding.hint))}"


def _fact(group: Sequence[Finding]) -> str:
    """The fact, with what it is about where the annotation's place does not say that."""
    finding = group[0]
    if finding.location is None:
        subject = "" if finding.table is None else f"{describe_subject(group)}: "
        return f"{subject}{finding.fact}"
    if finding.location.is_file:
        return finding.fact_with_helper
    return f"{finding.location.path}:{finding.location.line}: {finding.fact}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
