"""``python -m alembic_upsert_guard``: the command ``upsert-guard``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
