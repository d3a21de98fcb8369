"""The channels on which the same conversations are held, each with the whole bot behind it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from bot.channels import CHANNELS as DECLARED
from tests.helpers.console_channel import Console, ConsoleSetup
from tests.helpers.conversation_page import page_setup
from tests.helpers.conversation_slack import SlackSetup
from tests.helpers.conversation_teams import TeamsSetup
from tests.helpers.running_bot import run_bot
from tests.servers.slack import SlackServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.conversation import ChannelSetup
    from tests.helpers.running_bot import RunningBot

CHANNELS = ("teams", "page", "slack-http", "slack-socket", "console")
TEXT_LIMIT = 2_000


class ChannelSetups:
    """Two bots: one serves all channels, Slack by HTTP, and one Slack by a socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[str, ChannelSetup] = {}
        self._slacks: list[SlackServer] = []
        self._console = Console()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        assert [alarm for slack in self._slacks for alarm in slack.alarms] == []

    async def get(self, name: str) -> ChannelSetup:
        """Return a setup whose services remember nothing of earlier tests."""
        if name not in self._built:
            await (self._open_socket() if name == "slack-socket" else self._open_house())
        stage = self._built[name]
        stage.bot.model.forget()
        stage.bot.vision.forget()
        return stage

    async def _open_house(self) -> None:
        bot, slack = await self._run("house", socket=False)
        page = await self._stack.enter_async_context(page_setup(bot))
        http = SlackSetup(bot, slack, socket=False)
        self._built |= {"teams": TeamsSetup(bot), "page": page, "slack-http": http}
        self._built["console"] = ConsoleSetup(bot, self._console)

    async def _open_socket(self) -> None:
        bot, slack = await self._run("socket", socket=True)
        self._built["slack-socket"] = SlackSetup(bot, slack, socket=True)

    async def _run(self, name: str, *, socket: bool) -> tuple[RunningBot, SlackServer]:
        slack = await self._stack.enter_async_context(SlackServer())
        slack.names["UROBIN"] = "Robin"
        self._slacks.append(slack)
        bot = run_bot(
            self._folder / name,
            slack=slack,
            socket=socket,
            page=not socket,
            channels=DECLARED if socket else (*DECLARED, self._console.declaration),
            limits={"burst_seconds": 0.5},
            teams_limits={"text_limit": TEXT_LIMIT},
        )
        return await self._stack.enter_async_context(bot), slack
