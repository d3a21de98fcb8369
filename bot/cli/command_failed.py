"""A command that failed, and why."""

from __future__ import annotations


class CommandFailed(Exception):
    """Ends the command with one sentence on stderr and exit code 1."""
