"""System 2 runs in a browser: each function sends what its namesake in the TypeScript sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .supabase import Client


def find_progress(supabase: Client, user_id: str, lesson_id: str) -> dict[str, Any] | None:
    looked = supabase.table("lesson_progress").select("user_id, lesson_id, started_at")
    found = looked.eq("user_id", user_id).eq("lesson_id", lesson_id).execute().data
    return found[0] if found else None


def start_lesson_unless_found(
    supabase: Client, user_id: str, lesson_id: str, started_at: str, found: dict[str, Any] | None
) -> None:
    if found is None:
        supabase.table("lesson_progress").insert(
            {"user_id": user_id, "lesson_id": lesson_id, "started_at": started_at}
        ).execute()


def start_lesson(supabase: Client, user_id: str, lesson_id: str, started_at: str) -> None:
    supabase.table("lesson_progress").upsert(
        {"user_id": user_id, "lesson_id": lesson_id, "started_at": started_at},
        on_conflict="user_id,lesson_id",
        ignore_duplicates=True,
    ).execute()
