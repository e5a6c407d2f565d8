"""The tables that migrations make, file by file, and the upserts of migrations held against those of their day.

What a statement may change and cannot be read for certain is in doubt from there on: its table, or all of them.
"""

from __future__ import annotations

from .upserts import judge_history

__all__ = ["judge_history"]
