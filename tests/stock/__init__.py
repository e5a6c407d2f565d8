"""Declaring a key is never less than stock Alembic: what that would create on its elements is created all the same."""
