"""`python -m sample_project`: five systems, failing and then mended, on a real PostgreSQL; `--sqlite`: on SQLite;
`--sql`: without models."""

import sys
from importlib.metadata import entry_points
from importlib.util import find_spec

GUARD = "alembic.autogenerate.upsert_guard"


def what_is_missing() -> list[str]:
    """Without these nothing can be played; a checkout that is not installed has no entry point."""
    missing = [name for name in ("psycopg2", "rich", "sqlalchemy") if find_spec(name) is None]
    if GUARD not in entry_points(group="alembic.plugins").names:
        missing.append("alembic_upsert_guard, installed")
    return missing


if missing := what_is_missing():
    print(
        f"Missing: {', '.join(missing)}. Run `make demo`, or: pip install --group demo -e '.[scan]'",
        file=sys.stderr,
    )
    sys.exit(2)

from .demo.play import main  # noqa: E402

sys.exit(main())
