"""System 5: the exam mentor's upserts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def log_in(supabase: Any, name: str) -> None:
    """The person of that name is known."""
    supabase.table("users").upsert({"name": name}, on_conflict="name").execute()


def cache_plan(supabase: Any, cache_key: str, plan: dict[str, Any]) -> None:
    """The plan is cached for a day from now."""
    row = {"cache_key": cache_key, "plan": json.dumps(plan)}
    supabase.table("plan_cache").upsert(row, on_conflict="cache_key").execute()


def save_chat(supabase: Any, user_id: str, topic_id: str, messages: Sequence[str]) -> None:
    """The chat of that person on that topic is this one."""
    row = {"user_id": user_id, "topic_id": topic_id, "messages": json.dumps(list(messages))}
    supabase.table("tutor_chats").upsert(row, on_conflict="user_id, topic_id").execute()


def add_quiz(supabase: Any, user_id: str, topic_id: str, questions: Sequence[str]) -> None:
    """Save the quiz, one for each person and topic: so says the documentation, and the code inserts."""
    row = {"user_id": user_id, "topic_id": topic_id, "questions": json.dumps(list(questions))}
    supabase.table("quizzes").insert(row).execute()


def save_quiz(supabase: Any, user_id: str, topic_id: str, questions: Sequence[str]) -> None:
    """The person has this quiz on that topic, and no other."""
    row = {"user_id": user_id, "topic_id": topic_id, "questions": json.dumps(list(questions))}
    supabase.table("quizzes").upsert(row, on_conflict="user_id,topic_id").execute()
