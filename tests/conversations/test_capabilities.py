"""What a place is declared to be able to do happens there, and what it is not does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.page.channel import PLACE, PLACES
from adapters.teams import addresses as teams
from bot import strings as texts
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.ports.channel import Capabilities
from tests.helpers.behaviour_cases import FRUIT, OUTLINE_CAR, ROAD
from tests.helpers.behaviours import NEVER_SET
from tests.helpers.channel_setups import TEXT_LIMIT
from tests.helpers.conversation_slack import SlackSetup
from tests.helpers.conversation_teams import TeamsConversation
from tests.helpers.generated_docs import places
from tests.helpers.teams_chat import Chat, new_id
from tests.servers.openai import call_tools, say, tool_call_start

if TYPE_CHECKING:
    from tests.helpers.channel_setups import ChannelSetups
    from tests.helpers.conversation import Conversation
    from tests.helpers.running_bot import RunningBot, RunningBots

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("fast_rates")]

DECLARED = places()
SLASH = next(name for name, able in DECLARED.items() if able.private_posts)
PUBLIC = [name for name in DECLARED if name != SLASH]
THREADS = [teams.CHANNEL, next(name for name, able in DECLARED.items() if able.earlier_messages)]
PARTS = ("A red car. ", "It is parked.")


@pytest.fixture
def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a text be as soon too long on the page as it is in Teams."""
    monkeypatch.setitem(PLACES, PLACE, replace(PLACES[PLACE], text_limit=TEXT_LIMIT))


async def begin(
    place: str, channel_setups: ChannelSetups, bots: RunningBots
) -> tuple[RunningBot, Conversation]:
    """Begin a conversation at a place."""
    if place in {teams.EMULATOR, teams.OTHERS}:
        bot = await bots.get("playground")
        bot.model.forget()
        scope = "emulator" if place == teams.EMULATOR else "webchat"
        return bot, TeamsConversation(Chat(bot, scope, f"{scope}-{new_id()}"))
    if place in teams.PLACES:
        stage = await channel_setups.get("teams")
        begun_by = {teams.PERSONAL: stage.bot.personal, teams.GROUP: stage.bot.group}
        return stage.bot, TeamsConversation(begun_by.get(place, stage.bot.thread)())
    if place == PLACE:
        stage = await channel_setups.get("page")
        return stage.bot, stage.private()
    stage = await channel_setups.get("slack-http")
    return stage.bot, stage.shared()


async def held(
    bot: RunningBot, talk: Conversation, able: Capabilities, *rest: Any
) -> asyncio.Event:
    """Have an answer under way, as far as it is seen; returns what lets it go on."""
    gate = asyncio.Event()
    bot.model.then(say(PARTS[0], gate, PARTS[1], *rest))
    await talk.post("What is this?", FRUIT)
    await (talk.until("A red car.") if able.edits else bot.model.until_asked())
    return gate


async def finished(bot: RunningBot, gate: asyncio.Event) -> None:
    gate.set()
    await bot.settled()


@pytest.mark.parametrize("place", PUBLIC)
async def test_where_texts_can_be_edited_an_answer_is_seen_while_it_is_written(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    gate = await held(bot, talk, DECLARED[place])
    message_texts = [one.text for one in await talk.messages()]
    assert message_texts == (["A red car."] if DECLARED[place].edits else [])
    await finished(bot, gate)
    assert [one.text for one in await talk.messages()] == ["".join(PARTS)]


@pytest.mark.parametrize("place", PUBLIC)
async def test_an_answer_streams_where_there_are_streams(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    await talk.post("Hello")
    await bot.settled()
    assert await talk.is_streamed() is DECLARED[place].streams


@pytest.mark.parametrize("place", PUBLIC)
async def test_the_stop_button_ends_an_answer_where_there_is_one(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    able = DECLARED[place]
    gate = await held(bot, talk, able, *([NEVER_SET] if able.stop_button else []))
    await talk.stop()
    if able.stop_button and not isinstance(
        talk, TeamsConversation
    ):  # Teams tells of it at the next words.
        await bot.model.until_closed()
    await finished(bot, gate)
    (message,) = await talk.messages()
    assert message.text.startswith("A red car.")
    assert ("parked" in message.text) is not able.stop_button


@pytest.mark.parametrize("place", PUBLIC)
async def test_addresses_that_people_wrote_are_links_where_that_shows_nothing_else(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    bot.model.then(say("See [the form](https://example.com/form)."))
    await talk.post("Where is https://example.com/form ?")
    await bot.settled()
    (message,) = await talk.messages()
    active = "[the form](https://example.com/form)" in message.text
    assert active is DECLARED[place].links
    assert active is ("`https://example.com/form`" not in message.text)


@pytest.mark.parametrize("place", PUBLIC)
async def test_pictures_are_shown_where_they_can_be(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    bot.model.then(call_tools(tool_call_start("outline", OUTLINE_CAR)), say("A car [1]."))
    await talk.post("Where is the car?", ROAD)
    await bot.settled()
    assert await talk.pictures() == DECLARED[place].pictures


@pytest.mark.parametrize("place", PUBLIC)
async def test_a_long_transcript_is_a_file_where_files_can_be_sent(
    channel_setups: ChannelSetups, bots: RunningBots, place: str, shortly: None
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    for text in ("Once upon a time. " * 600, "!json"):
        await talk.post(text)
        await bot.settled()
    blocks = [one.text for one in await talk.messages() if one.text.startswith("```json")]
    assert (len(blocks) > 1) is not DECLARED[place].files
    assert list(await talk.files()) == ["transcript.json"] * DECLARED[place].files


@pytest.mark.parametrize("place", PUBLIC)
async def test_attached_files_are_looked_at_where_they_arrive(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    await talk.attach("What is this?", FRUIT)
    await bot.settled()
    (request,) = bot.model.requests
    assert len(request.pictures) == DECLARED[place].attachments
    (message,) = await talk.messages()
    problem = texts.file_problem("", 1, FileProblem(Reason.HTML_ONLY), FileLimits())
    assert (problem in message.text) is not DECLARED[place].attachments


@pytest.mark.parametrize("place", THREADS)
async def test_pictures_that_stood_in_a_thread_before_are_looked_at_where_they_can_be_had(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    await talk.post("The dent", FRUIT, by="Robin", mention=False)
    await talk.post("What is this?")
    await bot.settled()
    (request,) = bot.model.requests
    assert len(request.pictures) == DECLARED[place].earlier_messages
    (message,) = await talk.messages()
    assert (texts.EARLIER_POSTS in message.text) is not DECLARED[place].earlier_messages


@pytest.mark.parametrize("place", PUBLIC)
async def test_an_edited_question_is_answered_anew_where_edits_are_followed(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    await talk.post("How many apples?")
    await bot.settled()
    await talk.edit("How many pears?")
    await bot.settled()
    edit_events = DECLARED[place].edit_events
    assert len(bot.model.requests) == 1 + edit_events
    assert ("pears" in str(bot.model.requests[-1].body)) is edit_events


@pytest.mark.parametrize("place", PUBLIC)
async def test_commands_are_written_as_the_platform_lets_people_write_them(
    channel_setups: ChannelSetups, bots: RunningBots, place: str
) -> None:
    bot, talk = await begin(place, channel_setups, bots)
    await talk.post(f"{DECLARED[place].prefix}usage")
    await bot.settled()
    assert [one.text for one in await talk.messages()] == [texts.NO_USAGE]


async def test_what_is_private_is_said_to_one_person_at_once_and_without_files(
    channel_setups: ChannelSetups,
) -> None:
    stage = await channel_setups.get("slack-http")
    assert isinstance(stage, SlackSetup)
    talk, calls = stage.slash(), stage.slack.calls
    await talk.post("Once upon a time. " * 600)
    await stage.bot.settled()
    public = len(stage.slack.shown(talk.root))
    calls.clear()
    await talk.order("json")
    await stage.bot.settled()
    able, messages = DECLARED[SLASH], await talk.messages()
    can = replace(Capabilities(prefix="/loupe ", private_posts=True), edits=False, links=False)
    assert able == replace(can, attachments=False)
    assert len(messages) > 1
    assert set(calls) == {"chat.postEphemeral"}
    assert len(stage.slack.shown(talk.root)) == public
