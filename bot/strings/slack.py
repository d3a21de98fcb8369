"""What Slack users read beside answers."""

from __future__ import annotations

SLASH_NEEDS_THREAD = "Say this in the thread that it is about: mention me there with the command."
SLASH_NO_THREAD = "There is no thread of yours here yet; ask me something first."
SLACK_INVITE_ME = (
    "I cannot answer there, as I am not in that conversation. Invite me with /invite @Loupe and "
    "ask again, or post it to me directly."
)
SLACK_GENERATED = "AI-generated"
SLACK_GOOD = "Good answer"
SLACK_BAD = "Bad answer"
SLACK_LOOKED = "Done"
SLACK_PROMPTS = (
    ("Describe a photo", "Describe the photo that I attach."),
    ("Read a plate", "Which number plate is in the photo that I attach?"),
    ("Look through a video", "What happens in the video that I attach, and when?"),
    ("What can you do?", "!help"),
)
"""What is suggested in a new chat: titles, and what is said."""


def slack_about(link: str) -> str:
    """Tell which thread a private answer is about."""
    return f"About [this thread]({link}):"
