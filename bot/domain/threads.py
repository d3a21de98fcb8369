"""Where a conversation happens: the thread and the place that it stands in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

KEY_VERSION = "v1"
TERMINAL = "terminal"
"""Stands for the channel in threads of `loupe ask`, which no channel carries."""


def _key(kind: str, *names: str) -> str:
    """Hash names into a key that no choice of names can forge, whatever characters they hold."""
    canonical = json.dumps([KEY_VERSION, kind, *names], ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Place:
    """The channel or chat that threads stand in; settings made at its top hold for all of them.

    `channel` is the platform ("msteams", "page", …), `tenant` the platform's customer (Teams
    tenant, Slack team), `conversation` the platform's id of the channel or chat.
    """

    channel: str
    tenant: str
    conversation: str

    @property
    def key(self) -> str:
        """The place's name everywhere in the store: 40 hexadecimal digits."""
        return _key("place", self.channel, self.tenant, self.conversation)


@dataclass(frozen=True, slots=True)
class Thread:
    """One line of conversation: history, order and photo numbers belong to it.

    `root` names the thread within its place and is empty where the place is flat (a personal
    chat, a group chat). Two tenants with equal ids have different keys.
    """

    channel: str
    tenant: str
    conversation: str
    root: str = ""

    @property
    def place(self) -> Place:
        """The channel or chat that the thread stands in."""
        return Place(self.channel, self.tenant, self.conversation)

    @property
    def key(self) -> str:
        """The thread's name everywhere in the store: 40 hexadecimal digits."""
        return _key("thread", self.channel, self.tenant, self.conversation, self.root)
