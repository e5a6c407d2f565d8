"""System 1: the API that takes in an exam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def submit_exam(supabase: Any, user_id: str, wrong_questions: Iterable[int]) -> None:
    """Every wrong answer is counted, once more where it was wrong before."""
    before = supabase.table("user_mistakes").select("question_id, times_wrong")
    known = {
        row["question_id"]: row["times_wrong"]
        for row in before.eq("user_id", user_id).execute().data
    }
    all_mistakes = [
        {
            "user_id": user_id,
            "question_id": question_id,
            "times_wrong": known.get(question_id, 0) + 1,
        }
        for question_id in wrong_questions
    ]
    supabase.table("user_mistakes").upsert(
        all_mistakes, on_conflict="user_id,question_id"
    ).execute()
