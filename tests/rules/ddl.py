"""The table of most rules of PostgreSQL, its key and a row."""

from __future__ import annotations

T = "CREATE TABLE t (id serial, a int, b int, c int, st text)"
UQ_AB = "CREATE UNIQUE INDEX uq ON t (a, b)"
ST = "(st) VALUES ('x')"
