"""What is said when pictures could not be read and seen by the vision engine."""

from __future__ import annotations

from bot.problems import FileProblem, VisionProblem, VisionReason

WHY_VISION: dict[VisionReason, str] = {
    VisionReason.UNAUTHORIZED: "the service did not accept Loupe's credentials",
    VisionReason.BUSY: "it has too much to do just now",
    VisionReason.FAILED: "it failed",
    VisionReason.TIMED_OUT: "it took too long",
    VisionReason.UNREACHABLE: "it cannot be reached",
    VisionReason.BAD_REQUEST: "the service refused the request",
}
WHY_VISION_FILE = "it failed on a picture"


def without_vision(problem: VisionProblem | FileProblem) -> str:
    """Say once that an answer came about without the vision enhancements, and why."""
    why = WHY_VISION_FILE
    if isinstance(problem, VisionProblem):
        why = WHY_VISION[problem.reason]
    return f"The vision enhancements are missing from this answer: {why}."
