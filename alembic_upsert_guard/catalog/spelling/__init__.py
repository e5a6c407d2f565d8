"""PostgreSQL: what keys that hold SQL mean to the planner, asked on empty copies of their tables.

Equal text proves columns, and nothing more: the planner simplifies a target's SQL before it compares
(eval_const_expressions), and the columns of an index it does not. So each key is made on an empty temporary copy of its
table, in the table's name, and its conflict target is explained there as well as on the table itself. Whatever the
number of keys, that takes one round trip, and one more where predicates are compared; all of it is rolled back.
"""

from __future__ import annotations

from .settlement import normalize, settle

__all__ = ["normalize", "settle"]
