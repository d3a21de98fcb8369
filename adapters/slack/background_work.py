"""Slack's own work that has to survive a crash: reactions, prompts, leaving, being uninstalled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from adapters.http.json_fields import objects
from adapters.slack.errors import SlackError
from adapters.slack.events import pictured
from bot import strings as texts
from bot.domain.threads import Thread
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown

if TYPE_CHECKING:
    from adapters.chat.declaration import Accept
    from adapters.slack.addresses import BackgroundTask, SlackAddress
    from adapters.slack.thread_index import ThreadIndex
    from adapters.slack.web_api import SlackApi
    from adapters.slack.workspaces import Workspaces
    from bot.domain.messages import Message

log = structlog.get_logger()


class BackgroundWork:
    """Does what was accepted as a message of kind `channel`; its address names what."""

    def __init__(
        self, api: SlackApi, workspaces: Workspaces, accept: Accept, memory: ThreadIndex
    ) -> None:
        self._api = api
        self._workspaces = workspaces
        self._accept = accept
        self._memory = memory

    async def run(self, message: Message) -> None:
        """Run an errand; one that Slack refuses is over.

        Raises what repeats it: `DeliveryUnknown`, and `DeliveryRefused` while Slack has not told
        who Loupe is.
        """
        address: SlackAddress = message.address
        task = address.task
        if task is None:
            return
        works = {
            "reaction": self._reacted,
            "prompts": self._prompts,
            "uninstalled": self._uninstalled,
            "left": self._left,
        }
        work = works.get(task.do)
        if work is None:
            return
        try:
            await work(message, task)
        except (SlackError, ConversationGone) as error:
            log.info("errand_refused", errand=task.do, why=str(error))

    async def _reacted(self, message: Message, task: BackgroundTask) -> None:
        """Have the post looked at that somebody marked with the reaction."""
        address = message.address
        team, channel, ts = address.team, address.channel, task.post
        post = await self._post(team, channel, ts)
        found = post and pictured({**post, "channel": channel}, await self._workspaces.of(team))
        if found:
            address = replace(found.address, user=message.author.id)
            asking = replace(found, address=address, addressed=True)
            if await self._accept(asking):
                await self._memory.note(replace(asking, author=message.author))

    async def _post(self, team: str, channel: str, ts: str) -> dict[str, Any] | None:
        """Fetch one post, wherever in a thread it stands; the root of the thread may come too."""
        page = await self._api.call(
            team,
            "conversations.replies",
            repeatable=True,
            channel=channel,
            ts=ts,
            oldest=ts,
            latest=ts,
            inclusive="true",
            limit=2,
        )
        return next((post for post in objects(page.get("messages")) if post.get("ts") == ts), None)

    async def _prompts(self, message: Message, task: BackgroundTask) -> None:
        """Suggest what may be asked, where somebody opens a chat with Loupe.

        That is a courtesy: when it fails nobody is told that something was given up.
        """
        address = message.address
        try:
            await self._api.call(
                address.team,
                "assistant.threads.setSuggestedPrompts",
                repeatable=True,
                channel_id=address.channel,
                prompts=[{"title": title, "message": said} for title, said in texts.SLACK_PROMPTS],
                thread_ts=task.thread or None,
            )
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("prompts_not_shown", why=str(error))

    async def _uninstalled(self, message: Message, _: BackgroundTask) -> None:
        """Have everything of a workspace erased, thread by thread."""
        team = message.address.team
        for channel, root in await self._memory.threads(team):
            thread = Thread(message.thread.channel, team, channel, root)
            # Equal messages of one place are dropped: the version tells its threads apart.
            await self._accept(replace(message, thread=thread, kind="uninstalled", version=root))
        await self._memory.forget(team)

    async def _left(self, message: Message, _: BackgroundTask) -> None:
        await self._memory.left(message.thread.place)
