"""System 1: the API that takes in an exam."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sample_project.demo.supabase import Client


def submit_exam(supabase: Client, user_id: UUID, wrong_questions: Iterable[int]) -> None:
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
            "updated_at": dt.datetime.now(dt.timezone.utc),
        }
        for question_id in wrong_questions
    ]
    supabase.table("user_mistakes").upsert(
        all_mistakes, on_conflict="user_id,question_id"
    ).execute()
