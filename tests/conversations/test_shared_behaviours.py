"""One script, all channels: the page, Teams and Slack give the same turns.

What is typed and shown goes through each platform's own transport; the conversations are those
of `tests.helpers.behaviour_cases`. What a channel cannot do is in docs/channels.md.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.page.channel import PLACE, PLACES
from bot import strings as texts
from tests.helpers.behaviour_cases import COMMANDS, LOOK_STEP, PHOTOS
from tests.helpers.behaviour_cases_shared import SHARED
from tests.helpers.behaviours import PlayResult, play
from tests.helpers.channel_setups import CHANNELS, TEXT_LIMIT
from tests.helpers.conversation_slack import SlackSetup
from tests.helpers.transcripts import parse_transcript
from tests.servers.openai import say

if TYPE_CHECKING:
    from tests.helpers.behaviours import Behaviour
    from tests.helpers.channel_setups import ChannelSetups
    from tests.helpers.conversation import Conversation

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("fast_rates")]
SCRIPT = (*PHOTOS, *COMMANDS, *SHARED)
CASES = [
    pytest.param(behaviour, stage, id=f"{stage}: {behaviour.name}")
    for behaviour in SCRIPT
    for stage in CHANNELS
    if not (behaviour.shared and stage == "page")
]
_results: dict[tuple[str, str], PlayResult] = {}
"""What came of the conversations that were held already."""


async def played(channel_setups: ChannelSetups, behaviour: Behaviour, stage: str) -> PlayResult:
    """Hold a conversation, once."""
    if (stage, behaviour.name) not in _results:
        _results[stage, behaviour.name] = await play(behaviour, await channel_setups.get(stage))
    return _results[stage, behaviour.name]


@pytest.mark.parametrize(("behaviour", "stage"), CASES)
async def test_it_is_as_the_script_says(
    channel_setups: ChannelSetups, behaviour: Behaviour, stage: str
) -> None:
    result = await played(channel_setups, behaviour, stage)
    assert result.told == behaviour.told
    assert result.turns == behaviour.turns
    assert result.asked == behaviour.asked
    assert (result.pictures, result.buttons) == (behaviour.pictures, behaviour.buttons)


@pytest.mark.parametrize("behaviour", SCRIPT, ids=lambda behaviour: behaviour.name)
async def test_the_model_is_asked_the_same_to_the_last_byte(
    channel_setups: ChannelSetups, behaviour: Behaviour
) -> None:
    """System message, tools, pictures and all: no channel adds a word of its own."""
    names = [name for name in CHANNELS if not (behaviour.shared and name == "page")]
    first, *others = [(await played(channel_setups, behaviour, name)).bodies for name in names]
    assert len(first) == len(behaviour.asked)
    for name, bodies in zip(names[1:], others, strict=True):
        assert bodies == first, name


@pytest.mark.parametrize("name", CHANNELS)
async def test_a_long_transcript_is_handed_over_whole(
    channel_setups: ChannelSetups, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLACES, PLACE, replace(PLACES[PLACE], text_limit=TEXT_LIMIT))
    stage = await channel_setups.get(name)
    talk, story = stage.private(), "Once upon a time. " * 600
    stage.bot.model.then(*LOOK_STEP.answers, say("A story."))
    for text, files in ((LOOK_STEP.say, LOOK_STEP.files), (story, ()), ("/json", ())):
        await talk.post(text, *files)
        await stage.bot.settled()
    assert (await talk.messages())[-1].text == texts.JSON_AS_FILE
    documents = await talk.files()
    assert list(documents) == ["transcript.json"]
    assert [one["content"][-1] for one in json.loads(documents["transcript.json"])[1:]] == [
        *(LOOK_STEP.say, "A bowl of fruit."),
        *(story.strip(), "A story."),
    ]


async def test_where_there_are_no_files_it_comes_in_blocks_that_join_to_the_same(
    channel_setups: ChannelSetups,
) -> None:
    stage = await channel_setups.get("teams")
    talk, story = stage.shared(), "Once upon a time. " * 300
    stage.bot.model.then(say("A story."))
    for text in (story, "/json"):
        await talk.post(text)
        await stage.bot.settled()
    blocks = [one.text for one in (await talk.messages())[1:]]
    assert len(blocks) > 2
    assert _joined(blocks) == story.strip()


def _joined(blocks: list[str]) -> str:
    """Put the user's words together again."""
    messages: list[dict[str, Any]] = [one for block in blocks for one in parse_transcript(block)]
    return "".join(text for one in messages if one["role"] == "user" for text in one["content"])


@pytest.mark.parametrize("name", ["slack-http", "slack-socket"])
async def test_at_the_top_of_direct_messages_a_setting_holds_for_all_threads_of_the_chat(
    channel_setups: ChannelSetups, name: str
) -> None:
    """Slack shows direct messages as threads, of which a chat of Teams and the page has one."""
    stage = await channel_setups.get(name)
    top: Conversation = stage.private()
    await top.post("/model gpt-4o-mini")
    await stage.bot.settled()
    (message,) = await top.messages()
    assert message.text == texts.model_set("gpt-4o-mini", texts.IN_THIS_CHAT)


@pytest.mark.parametrize("name", ["slack-http", "slack-socket"])
async def test_the_help_in_slack_names_what_can_be_typed_there_and_has_buttons(
    channel_setups: ChannelSetups, name: str
) -> None:
    stage = await channel_setups.get(name)
    talk = stage.private()
    stage.bot.model.then(*LOOK_STEP.answers)
    await talk.post(LOOK_STEP.say, *LOOK_STEP.files)
    await stage.bot.settled()
    await talk.post("!help")
    await stage.bot.settled()
    helped = (await talk.messages())[-1]
    assert helped.buttons == ("Photos and videos", "Transcript", "Usage", "Stop")
    assert "`!photos`" in helped.text
    assert "/photos" not in helped.text
    await talk.press("Photos and videos")
    await stage.bot.settled()
    assert "P1" in (await talk.messages())[-1].text


async def test_what_loupe_answers_privately_names_its_commands_behind_its_name(
    channel_setups: ChannelSetups,
) -> None:
    stage = await channel_setups.get("slack-http")
    assert isinstance(stage, SlackSetup)
    talk = stage.slash()
    await talk.order("help")
    await stage.bot.settled()
    (helped,) = await talk.messages()
    assert "`/loupe photos`" in helped.text
    assert helped.buttons == ()
