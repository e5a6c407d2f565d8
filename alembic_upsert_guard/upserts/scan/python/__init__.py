"""Upserts in Python source, by nothing but its syntax tree: nothing is imported, nothing is run.

A module answers one question: what is imported (:mod:`.imports`), what a name is bound to (:mod:`.bindings`), what an
expression means (:mod:`.meaning`) in a scope, which is a file and the calls that were entered (:mod:`.scope`), what a
function returns (:mod:`.functions`), what an attribute is (:mod:`.members`), who calls (:mod:`.callers`), who
inherits (:mod:`.heirs`), and under which of these an upsert is read (:mod:`.sites`); then which string
(:mod:`.constants`), table or column (:mod:`.tables`), predicate (:mod:`.predicates`) or list of elements
(:mod:`.targets`) it is. Three read the call sites: SQLAlchemy's (:mod:`.statements`), Supabase's (:mod:`.clients`),
and SQL in strings (:mod:`.strings`).

Written by hand, for a type is no value: what is asked is which table and which list of strings, and for which call.
On 232 sites of 13 public packages astroid 4.3.4 named 41 tables, none of them wrongly, and jedi 0.20.1 named 62 and 9
wrongly, for it looks for callers in some files only and takes ``type[Base]`` for Base; of the 34 keys that need
inference each read 2. They took 142 and 208 seconds. What annotations buy, 21 of 21 sites of Prefect by jedi,
:mod:`.annotations` does.
"""

from __future__ import annotations

from .reader import PythonReader, PythonSource

__all__ = ["PythonReader", "PythonSource"]
