"""Upserts in the functions of a database."""
