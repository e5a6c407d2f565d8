"""Every table of the application, gathered for `target_metadata`."""

from .base import Base
from .exam_answers import UserMistake
from .exam_mentor import Misconception, PlanCache, Quiz, StudySession, Topic, TutorChat, User
from .lesson_progress import LessonProgress
from .onboarding import Profile
from .pattern_quality import Pattern, PatternQualityMetric

__all__ = [
    "Base",
    "LessonProgress",
    "Misconception",
    "Pattern",
    "PatternQualityMetric",
    "PlanCache",
    "Profile",
    "Quiz",
    "StudySession",
    "Topic",
    "TutorChat",
    "User",
    "UserMistake",
]
