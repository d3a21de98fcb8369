"""The pictures that stand in a thread before Loupe is first asked there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.slack.events import read_post
from adapters.slack.thread_history import ThreadPictures
from adapters.slack.workspaces import UnknownTeam, WorkspaceUnknown
from tests.helpers.slack_payloads import (
    BOT,
    CHANNEL,
    SAM,
    WORKSPACE,
    OneWorkspace,
    message_event,
    photo,
)
from tests.helpers.slack_wire_server import (
    CUT,
    PAGE_502,
    Answer,
    SlackClients,
    refusal,
    slack_clients,
    throttling,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.domain.messages import Message

REPLIES = "conversations.replies"
BEGAN = 1_700_000_000


def stamp(second: int) -> str:
    return f"{BEGAN + second}.000100"


def reply(second: int, *files: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A post with one photo in the thread, or with other files; it has no `channel` there."""
    files, omitted_keys = files or (photo(second),), {"channel", *more.pop("no", ())}
    how = {"ts": stamp(second), "thread_ts": stamp(0), "user": SAM, "files": list(files)}
    post = message_event("look", **{**how, **more})
    return {key: value for key, value in post.items() if key not in omitted_keys}


def page(*posts: Any, cursor: str = "", **more: Any) -> Answer:
    metadata = {"next_cursor": cursor}
    return Answer({"ok": True, "messages": list(posts), "response_metadata": metadata, **more})


def asking(second: int = 100, **more: Any) -> Message:
    how = {"ts": stamp(second), "thread_ts": stamp(0), **more}
    message = read_post(message_event(f"<@{BOT}> what is it?", **how), WORKSPACE)
    assert message is not None
    return message


class HistorySetup:
    def __init__(self, clients: SlackClients, workspaces: Any) -> None:
        self.server = clients.server
        self.clock = clients.clock
        self._earlier = ThreadPictures(clients.api, clients.users, workspaces, clients.limits)

    async def of(self, *answers: Answer, message: Message | None = None) -> list[Message]:
        """What is found when Slack answers so."""
        messages = await self.told(*answers, message=message)
        assert messages is not None
        return list(messages)

    async def told(
        self, *answers: Answer, message: Message | None = None
    ) -> tuple[Message, ...] | None:
        self.server.then(REPLIES, *answers)
        return await self._earlier.of(message or asking())

    async def ids(self, *answers: Answer) -> list[str]:
        return [message.id for message in await self.of(*answers)]


@asynccontextmanager
async def history_setup(workspaces: Any = None, **limits: Any) -> AsyncIterator[HistorySetup]:
    async with slack_clients(**limits) as clients:
        yield HistorySetup(clients, workspaces or clients.team)


async def test_posts_with_pictures_come_as_messages_of_the_thread() -> None:
    async with history_setup() as parts:
        parts.server.then("users.info", Answer({"ok": True, "user": {"real_name": "Sam"}}))
        first, second = await parts.of(page(reply(0, thread_ts=stamp(0)), reply(2), reply(100)))
    assert [first.id, second.id] == [stamp(0), stamp(2)]
    assert (second.author.id, second.author.name) == (SAM, "Sam")
    assert (second.thread, second.addressed, second.opening) == (asking().thread, False, False)
    assert first.opening is False
    assert (second.address.channel, second.address.thread) == (CHANNEL, stamp(0))
    assert [file.name for file in second.attachments] == ["IMG_2.jpg"]
    form = parts.server.calls[0].form
    assert (form["channel"], form["ts"], "cursor" in form) == (CHANNEL, stamp(0), False)


async def test_pages_are_read_by_their_cursor_three_at_most() -> None:
    async with history_setup() as parts:
        pages = [page(reply(n), cursor=f"c{n}") for n in range(1, 5)]
        assert await parts.ids(*pages) == [stamp(1), stamp(2), stamp(3)]
    cursors = [call.form.get("cursor") for call in parts.server.calls if call.name == REPLIES]
    assert cursors == [None, "c1", "c2"]


@pytest.mark.parametrize("metadata", [None, [], "x", {"next_cursor": None}, {"next_cursor": 7}])
async def test_without_a_cursor_that_was_all(metadata: Any) -> None:
    async with history_setup() as parts:
        answer = page(reply(1), response_metadata=metadata)
        assert await parts.ids(answer, page(reply(2))) == [stamp(1)]


async def test_what_came_with_the_question_or_later_is_not_earlier() -> None:
    async with history_setup() as parts:
        last = {"ts": f"{BEGAN + 100}.000099"}
        ids = await parts.ids(page(reply(99), reply(1, **last), reply(100), reply(101)))
    assert ids == [stamp(99), last["ts"]]


async def test_only_the_newest_ten_pictures_are_brought() -> None:
    async with history_setup() as parts:
        assert await parts.ids(page(*map(reply, range(1, 13)))) == [*map(stamp, range(3, 13))]


async def test_of_a_post_with_too_many_pictures_its_last_ones_come() -> None:
    album = [photo(n) for n in range(20, 32)]
    async with history_setup() as parts:
        first, last = await parts.of(page(reply(1), reply(2, *album), reply(3)))
    assert [file.name for file in first.attachments] == [f"IMG_{n}.jpg" for n in range(23, 32)]
    assert last.id == stamp(3)


async def test_files_that_show_nothing_take_no_room() -> None:
    document = photo(50, name="report.pdf", mimetype="application/pdf")
    async with history_setup(earlier_pictures=2) as parts:
        messages = await parts.of(page(reply(1), *[reply(n, document) for n in range(2, 9)]))
    assert [file.name for message in messages for file in message.attachments] == ["IMG_1.jpg"]


@pytest.mark.parametrize("how", [{"subtype": "bot_message", "no": {"user"}}, {}])
async def test_pictures_of_other_programs_are_brought_too(how: dict[str, Any]) -> None:
    async with history_setup() as parts:
        assert await parts.ids(page(reply(1, bot_id="BCAMERA", **how))) == [stamp(1)]


async def test_where_no_pictures_are_wanted_slack_is_not_asked() -> None:
    async with history_setup(earlier_pictures=0) as parts:
        assert await parts.ids(page(reply(1))) == []
    assert parts.server.calls == []


@pytest.mark.parametrize(
    "who", [{"user": BOT, "bot_id": "BBOT"}, {"user": BOT}, {"bot_id": "BBOT"}]
)
async def test_pictures_of_loupe_itself_take_no_room_from_others(who: dict[str, str]) -> None:
    async with history_setup() as parts:
        own = [reply(n, **who) for n in range(20, 40)]
        assert await parts.ids(page(reply(1), *own)) == [stamp(1)]


@pytest.mark.parametrize(
    "post",
    [
        reply(5, no={"ts"}),
        reply(5, ts=None),
        reply(5, ts=5),
        reply(5, ts="soon"),
        reply(5, ts="nan"),
        reply(5, ts="-inf"),
        reply(5, ts=""),
        reply(5, ts="1" * 400),
        reply(5, no={"user"}),
        reply(5, user=None),
        reply(5, files="F1"),
        reply(5, files={"id": "F1"}),
        reply(5, files=[None, 7, []]),
        reply(5, no={"files"}),
        reply(5, subtype="channel_join"),
        reply(5, subtype="tombstone"),
        "a post",
        None,
        7,
    ],
)
async def test_a_malformed_post_costs_nothing_but_itself(post: Any) -> None:
    async with history_setup() as parts:
        assert await parts.ids(page(reply(1), post, reply(9))) == [stamp(1), stamp(9)]


@pytest.mark.parametrize("messages", [None, "x", 7, {"ts": "1.0"}, []])
async def test_an_answer_without_posts_brings_none(messages: Any) -> None:
    async with history_setup() as parts:
        assert await parts.ids(page(messages=messages)) == []


async def test_a_post_without_its_thread_s_time_is_still_of_the_thread() -> None:
    async with history_setup() as parts:
        [message] = await parts.of(page(reply(1, thread_ts=7)))
    assert message.thread == asking().thread


@pytest.mark.parametrize("fault", [PAGE_502, CUT, throttling("7"), refusal("internal_error")])
async def test_a_passing_failure_is_waited_for(fault: Answer) -> None:
    async with history_setup() as parts:
        assert await parts.ids(fault, page(reply(1))) == [stamp(1)]
        assert parts.clock.waits
        if fault.status == 429:
            assert parts.clock.waits == [7.0]


@pytest.mark.parametrize(
    "error", ["not_in_channel", "missing_scope", "thread_not_found", "token_revoked", "unheard_of"]
)
async def test_what_slack_does_not_give_is_not_there(error: str) -> None:
    async with history_setup() as parts:
        assert await parts.told(page(reply(1), cursor="c"), refusal(error)) is None
    assert [call.name for call in parts.server.calls] == [REPLIES] * 2


async def test_a_slack_that_stays_away_costs_no_answer() -> None:
    async with history_setup(send_tries=2) as parts:
        assert await parts.told(PAGE_502, PAGE_502, page(reply(1))) is None


@pytest.mark.parametrize("problem", [WorkspaceUnknown("not yet"), UnknownTeam("another")])
async def test_before_slack_told_who_loupe_is_nothing_is_found(problem: Exception) -> None:
    class Unknown(OneWorkspace):
        async def of(self, team: str) -> Any:
            raise problem

    async with history_setup(Unknown()) as parts:
        assert await parts.told(page(reply(1))) is None


async def test_names_that_cannot_be_had_cost_no_picture() -> None:
    async with history_setup() as parts:
        parts.server.then("users.info", refusal("user_not_found"))
        [message] = await parts.of(page(reply(1)))
    assert (message.author.id, message.author.name) == (SAM, "")


@pytest.mark.parametrize(
    "message",
    [
        asking(0),
        asking(thread_ts=None),
        asking(thread_ts=stamp(100)),
        replace(asking(), address=replace(asking().address, thread="")),
    ],
)
async def test_what_begins_a_thread_has_nothing_before_it(message: Message) -> None:
    async with history_setup() as parts:
        assert await parts.of(page(reply(1)), message=message) == []
    assert parts.server.calls == []


async def test_everything_is_before_a_question_that_is_no_post() -> None:
    async with history_setup() as parts:
        message = replace(asking(), id="123.456.abc")
        messages = await parts.of(page(reply(1), reply(5, ts="soon")), message=message)
    assert [post.id for post in messages] == [stamp(1)]
