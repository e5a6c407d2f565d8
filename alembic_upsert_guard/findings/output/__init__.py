"""Findings as text for people, and in the formats that other programs read. Pure: nothing is printed here."""

from __future__ import annotations

from .document import DatabaseFacts, Run, RunReport
from .github import as_github
from .gitlab import as_gitlab
from .json_report import JSON_VERSION, as_json, error_as_json
from .junit import as_junit
from .sarif import as_sarif
from .text import as_lines, as_text, as_unread, statistics, summary

__all__ = [
    "JSON_VERSION",
    "DatabaseFacts",
    "Run",
    "RunReport",
    "as_github",
    "as_gitlab",
    "as_json",
    "as_junit",
    "as_lines",
    "as_sarif",
    "as_text",
    "as_unread",
    "error_as_json",
    "statistics",
    "summary",
]
