"""Upserts that a server recorded: in its statistics of what ran (``pg_stat_statements``), or in its log of what failed.

:mod:`.statistics` and :mod:`.log` say what is recorded, :mod:`.values` what of it may be shown and which index a target
without its values is for, and :mod:`.judge` what the database at hand makes of it.
"""
