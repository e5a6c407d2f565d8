"""System 4: signing up, and the end of an onboarding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from sample_project.demo.supabase import Client


def sign_up(supabase: Client, auth_user_id: UUID) -> None:
    """The person has a profile, without a name yet."""
    supabase.table("profiles").insert({"auth_user_id": auth_user_id}).execute()


def finalize_onboarding(supabase: Client, auth_user_id: UUID, display_name: str) -> None:
    """The profile bears the name; the upsert is inside the function, in revision 0005."""
    supabase.rpc(
        "finalize_onboarding",
        {"p_auth_user_id": auth_user_id, "p_display_name": display_name},
    ).execute()
