"""The sentences that only Slack users read."""

from __future__ import annotations

SLASH_NEEDS_THREAD = (
    "Please use this command in the thread that you mean: mention me there, then the command."
)
SLASH_NO_THREAD = "You have no thread here yet. Please ask me something first."
SLACK_INVITE_ME = (
    "I cannot answer there because I am not in that conversation. Invite me with /invite @Loupe "
    "and ask again, or send it to me directly."
)
SLACK_GENERATED = "AI-generated"
SLACK_GOOD = "Good answer"
SLACK_BAD = "Bad answer"
SLACK_LOOKED = "Done"
SLACK_PROMPTS = (
    ("Describe a photo", "Describe the attached photo."),
    ("Read a plate", "Which number plate is in the attached photo?"),
    ("Look through a video", "What happens in the attached video, and when?"),
    ("What can you do?", "!help"),
)
"""Suggestions in a new chat: the title of each, and the message that it sends."""


def slack_about(link: str) -> str:
    """Return which thread a private answer is about."""
    return f"About [this thread]({link}):"
