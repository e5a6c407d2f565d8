"""What tests ran, for a scan that reads the code that they ran: ``--observed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..upserts.parsers import check_parsers
from ..upserts.target import NamedTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..upserts.scan.ran import RanUpserts

__all__ = ["ran_upserts"]


def ran_upserts(observed: Sequence[str]) -> RanUpserts | None:
    """Return what tests ran at which line, for a scan; None: no file is named.

    :raises MissingParsersError: the extra ``scan`` is not installed.
    :raises ObservedFileError: a file cannot be read.
    """
    if not observed:
        return None
    check_parsers("reading recorded upserts")
    from ..upserts.observed.recorded_files import read_observed_files, upserts_of_observed  # noqa: PLC0415 - parsers
    from ..upserts.scan.ran import RanUpsert, RanUpserts  # noqa: PLC0415 - as above

    return RanUpserts(
        RanUpsert(
            path=upsert.place.path, line=upsert.place.line, table=upsert.table, target=upsert.target
        )
        for upsert in upserts_of_observed(read_observed_files(observed))
        if upsert.place.path is not None
        and upsert.place.line is not None
        and isinstance(upsert.table, NamedTable)
    )
