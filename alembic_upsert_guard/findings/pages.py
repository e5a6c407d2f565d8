"""The page of each finding code: in the wheel beside the modules, in a checkout under ``docs/codes``."""

from __future__ import annotations

from pathlib import Path

from ..errors import UpsertGuardError
from .codes import FindingCode, code_of

__all__ = ["MissingPageError", "list_of_codes", "page_of"]

_PACKAGE = Path(__file__).parents[1]

_FOLDERS = (_PACKAGE / "codes", _PACKAGE.parent / "docs" / "codes")
"""Where the wheel has them, and where they are written."""


class MissingPageError(UpsertGuardError, FileNotFoundError):
    """The pages were not installed with the package; the message says where they were looked for."""


def list_of_codes() -> list[str]:
    """Return a line a code, in the order of the manual: name, severity, meaning."""
    width = max(len(code.value) for code in FindingCode)
    return [
        f"{code.value:{width}}  {code.severity.value:7}  {code.meaning}" for code in FindingCode
    ]


def page_of(code: str) -> str:
    """Return the page of `code`, Markdown.

    :raises UnknownCodeError: there is no such code.
    :raises MissingPageError: the package was installed without its pages.
    """
    name = f"{code_of(code)}.md"
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8")
    looked = " and ".join(str(folder) for folder in _FOLDERS)
    raise MissingPageError(
        f"the page of {code} is not installed (looked in {looked}); reinstall alembic-upsert-guard"
    )
