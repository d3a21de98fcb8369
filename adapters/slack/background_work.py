"""Work without a turn that has to survive a crash: reactions, prompts, leaving, uninstalling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from adapters.http.json_fields import objects
from adapters.slack.errors import SlackError
from adapters.slack.events import read_pictures
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
    """Runs tasks that were accepted as messages of kind `channel`; the address names the task."""

    def __init__(
        self, api: SlackApi, workspaces: Workspaces, accept: Accept, index: ThreadIndex
    ) -> None:
        self._api = api
        self._workspaces = workspaces
        self._accept = accept
        self._index = index

    async def run(self, message: Message) -> None:
        """Run a task; if Slack refuses it, it is not repeated.

        Raises what has it repeated: `DeliveryUnknown`, and `DeliveryRefused` while the workspace
        is not known yet.
        """
        address: SlackAddress = message.address
        task = address.task
        if task is None:
            return
        actions = {
            "reaction": self._look_at_post,
            "prompts": self._suggest_prompts,
            "uninstalled": self._erase_workspace,
            "left": self._forget_place,
        }
        action = actions.get(task.action)
        if action is None:
            return
        try:
            await action(message, task)
        except (SlackError, ConversationGone) as error:
            log.info("task_refused", task=task.action, why=str(error))

    async def _look_at_post(self, message: Message, task: BackgroundTask) -> None:
        """Accept the post to which somebody added the reaction, as a question of theirs."""
        address = message.address
        team, channel, ts = address.team, address.channel, task.post
        post = await self._post(team, channel, ts)
        if post is None:
            return
        pictures = read_pictures({**post, "channel": channel}, await self._workspaces.of(team))
        if pictures is None:
            return
        address = replace(pictures.address, user=message.author.id)
        question = replace(pictures, address=address, addressed=True)
        if await self._accept(question):
            await self._index.note(replace(question, author=message.author))

    async def _post(self, team: str, channel: str, ts: str) -> dict[str, Any] | None:
        """Fetch one post, wherever in a thread it is; the response may hold its root too."""
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

    async def _suggest_prompts(self, message: Message, task: BackgroundTask) -> None:
        """Suggest questions to somebody who opens a chat with Loupe.

        They are a courtesy: a failure is logged, and the task is not repeated.
        """
        address = message.address
        try:
            await self._api.call(
                address.team,
                "assistant.threads.setSuggestedPrompts",
                repeatable=True,
                channel_id=address.channel,
                prompts=[{"title": title, "message": text} for title, text in texts.SLACK_PROMPTS],
                thread_ts=task.thread or None,
            )
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("prompts_not_shown", why=str(error))

    async def _erase_workspace(self, message: Message, _: BackgroundTask) -> None:
        """Accept a message for each thread of a workspace, so that its data is erased."""
        team = message.address.team
        for channel, root in await self._index.threads(team):
            thread = Thread(message.thread.channel, team, channel, root)
            # Without a version of its own each would be dropped as a duplicate of the first.
            await self._accept(replace(message, thread=thread, kind="uninstalled", version=root))
        await self._index.forget(team)

    async def _forget_place(self, message: Message, _: BackgroundTask) -> None:
        await self._index.forget_callers(message.thread.place)
