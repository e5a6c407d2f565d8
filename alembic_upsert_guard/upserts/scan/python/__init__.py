"""Upserts in Python source, by nothing but its syntax tree: nothing is imported, nothing is run.

A module answers one question: what is imported (:mod:`.module`), what a name is bound to (:mod:`.bindings`),
what an expression means (:mod:`.meaning`), which string (:mod:`.constants`), table or column (:mod:`.tables`),
predicate (:mod:`.predicates`) or list of elements (:mod:`.targets`) it is. Three read the call sites:
SQLAlchemy's (:mod:`.statements`), Supabase's (:mod:`.clients`), and SQL in strings (:mod:`.strings`).
"""

from __future__ import annotations

from .reader import PythonReader, PythonSource

__all__ = ["PythonReader", "PythonSource"]
