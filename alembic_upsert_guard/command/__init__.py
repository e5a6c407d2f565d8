"""What `upsert-guard` does, a module a command; :mod:`alembic_upsert_guard.cli` parses, calls, prints and exits."""
