"""What ``--help`` says of each command beside its options."""

from __future__ import annotations

__all__ = [
    "CHECK",
    "CHECK_EXAMPLES",
    "EXIT_CODES",
    "EXPLAIN",
    "EXPLAIN_EXAMPLES",
    "FUNCTIONS",
    "FUNCTIONS_EXAMPLES",
    "SCAN",
    "SCAN_EXAMPLES",
]

EXIT_CODES = """\
exit code:
  0  no error was found (with --strict: nothing was)
  1  something was
  2  the command could not run
"""

CHECK = """\
Hold every declared upsert key against the database that env.py connects to, or that --database names; with --code,
--functions, --statements, --log and --observed also the upserts of these sources, declared or not. Nothing is written
to the database.
"""
CHECK_EXAMPLES = """\
examples:
  upsert-guard check                            the declared keys against the database of env.py
  upsert-guard check --rows                     and the rows that are there
  upsert-guard check --database "$DATABASE_URL" --code . --functions
                                                without Alembic and models: Supabase, plain SQL
  upsert-guard check --observed .upsert_guard/observed.json
                                                what the tests ran (pytest --upsert-guard)
"""
SCAN = """\
Find the upserts in Python, TypeScript, JavaScript and SQL files, and hold them against the models: those of
--metadata, or those that env.py configures, which is run offline. No database is needed.
"""
SCAN_EXAMPLES = """\
examples:
  upsert-guard scan                             this folder
  upsert-guard scan app web --diff              the declarations that the models lack, as a diff
  upsert-guard scan app --metadata app.models:Base --format sarif --output upserts.sarif
"""
FUNCTIONS = """\
Judge the upserts in SQL and PL/pgSQL functions of the database that env.py connects to, declared or not.
"""
FUNCTIONS_EXAMPLES = """\
examples:
  upsert-guard functions
  upsert-guard check --database "$DATABASE_URL" --functions      without Alembic
"""
EXPLAIN = "Print the page of a finding code: its cause, what the server answers, and the fix.\n"
EXPLAIN_EXAMPLES = """\
examples:
  upsert-guard explain
  upsert-guard explain missing-arbiter
"""
