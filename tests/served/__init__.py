"""Upserts in code against a database."""
