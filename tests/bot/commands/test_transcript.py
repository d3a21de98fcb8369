import json
import re
from itertools import chain, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands.json_blocks import blocks, dumps, full_blocks
from bot.commands.transcript import full, request_view, transcript
from bot.domain.files import (
    ChosenFrame,
    Photo,
    PhotoFacts,
    Phrase,
    SpokenPassage,
    Video,
    VideoFacts,
    VisionRecord,
)
from bot.domain.frame_ids import frame_number
from bot.domain.history import ThreadHistory, Turn, Usage
from bot.domain.sightings import Sighting, TextLine
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, turn_of
from bot.ports.model import ChatMessage, Picture, TextPart, ToolCall, VideoIntroduction

SYSTEM = "You are an AI assistant that helps people find information."
THREAD = Thread("msteams", "tenant", "19:abc@thread.tacv2", "1700")
FACTS = PhotoFacts("JPEG", 4032, 3024, 2_000_000, latitude=48.1)

any_text = st.text(st.characters(exclude_categories=()), max_size=400)
relaxed = settings(deadline=None, max_examples=150)


def photo(number: int, name: str = "IMG_0042.jpg") -> Photo:
    return Photo(number, f"{number:064x}", name, FACTS, "Ann", 1.0)


def video(number: int, name: str = "crash.mp4") -> Video:
    facts = VideoFacts("MP4 video", "h264", 640, 480, 9, 20.0, 25.0)
    return Video(number, f"{number:064x}", name, facts, "Ann", 1.0)


def sighting(*texts: str) -> Sighting:
    corners = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.2), (0.1, 0.2))
    return Sighting(tuple(TextLine(text, corners, 0.9) for text in texts), engine="test")


def turn(question: str = "What is it?", answer: str = "A cat.", **changes: Any) -> Turn:
    return turn_of(TurnRecord("1", 1_790_000_000.5, "Ann", question, answer, **changes))


def parsed(block: str) -> Any:
    """What a reader of the chat gets out of a code block, which has no fence inside."""
    assert block.startswith("```json\n")
    assert block.endswith("\n```")
    inside = block[8:-4]
    assert not set("`!<>&\u2028") & set(inside)
    return json.loads(inside)


def rejoined(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put together what was cut: neighbours of one role, and their neighbouring texts."""
    whole: list[dict[str, Any]] = []
    for message in messages:
        if not whole or whole[-1]["role"] != message["role"]:
            whole.append({"role": message["role"], "content": []})
        content = whole[-1]["content"]
        for item in message["content"]:
            if content and isinstance(content[-1], str) and isinstance(item, str):
                content[-1] += item
            else:
                content.append(item)
    return whole


def restored(pieces: list[Any]) -> Any:
    """Build the value that `[place, value]` pairs describe."""
    root: dict[str, Any] = {}
    for path, value in pieces:
        node: Any = root
        for key, after in pairwise(path):
            empty: Any = [] if isinstance(after, int) else {}
            if isinstance(node, list) and key == len(node):
                node.append(empty)
            node = node[key] if isinstance(node, list) else node.setdefault(key, empty)
        last = path[-1]
        if isinstance(node, list) and last == len(node):
            node.append(value)
        elif isinstance(node, list) or last in node:
            node[last] += value
        else:
            node[last] = value
    return root


def test_before_the_first_question_only_the_system_message_stands() -> None:
    assert transcript(SYSTEM, ThreadHistory()) == [{"role": "system", "content": [SYSTEM]}]


def test_a_turn_is_question_and_answer_with_pictures_before_the_words() -> None:
    past = ThreadHistory((turn(photos=(2, 1)),), (photo(1), photo(2, "")))
    assert transcript(SYSTEM, past)[1:] == [
        {
            "role": "user",
            "content": [
                {"image": f"sha256:{1:064x}", "name": "P1 IMG_0042.jpg"},
                {"image": f"sha256:{2:064x}", "name": "P2"},
                "What is it?",
            ],
        },
        {"role": "assistant", "content": ["A cat."]},
    ]


def test_an_unspoken_question_is_included() -> None:
    past = ThreadHistory((turn("", photos=(1,)), turn("", photos=(1, 2))), (photo(1), photo(2)))
    asked = [message["content"][-1] for message in transcript(SYSTEM, past)[1::2]]
    assert asked == ["Describe this image", "Describe these images"]


def test_stopped_turns_stand_as_far_as_they_came_and_failed_ones_not_at_all() -> None:
    past = ThreadHistory(
        (
            turn(answer="", status="stopped"),
            turn(answer="Half of", status="stopped"),
            turn(answer="Some", status="failed"),
        )
    )
    assert [message["content"] for message in transcript(SYSTEM, past)[1:]] == [
        ["What is it?"],
        ["Half of"],
    ]


def test_a_picture_that_is_kept_no_longer_is_left_out() -> None:
    assert transcript(SYSTEM, ThreadHistory((turn(photos=(7,)),)))[1]["content"] == ["What is it?"]


def test_a_video_stands_with_the_times_of_the_frames_that_went() -> None:
    frames = [(2, 9.0), (1, 12.36), (1, 0.0)]
    chosen = tuple(ChosenFrame(frame_number(*each), "change") for each in frames)
    past = ThreadHistory(
        (turn(photos=(2,), videos=(1, 2), frames=chosen), turn("And then?", frames=chosen)),
        (photo(2),),
        videos=(video(1), video(2, "")),
    )
    messages = transcript(SYSTEM, past)
    assert messages[1]["content"] == [
        {"image": f"sha256:{2:064x}", "name": "P2 IMG_0042.jpg"},
        {"video": f"sha256:{1:064x}", "name": "V1 crash.mp4", "frames": [0.0, 12.36]},
        {"video": f"sha256:{2:064x}", "name": "V2", "frames": [9.0]},
        "What is it?",
    ]
    assert messages[3]["content"] == ["And then?"]
    assert json.loads(dumps(messages)) == messages


def test_a_video_of_which_nothing_went_stands_without_frames() -> None:
    past = ThreadHistory((turn("", videos=(1, 9)),), videos=(video(1),))
    assert transcript(SYSTEM, past)[1]["content"] == [
        {"video": f"sha256:{1:064x}", "name": "V1 crash.mp4", "frames": []},
        "Describe these videos",
    ]


def test_full_tells_which_frames_went_and_why() -> None:
    chosen = (
        ChosenFrame(frame_number(1, 12.36), "question", 0.91, "embedding"),
        ChosenFrame(frame_number(1, 2.0), "asked", means="tool"),
    )
    heard = (SpokenPassage(1, 0.0, 21.0, (Phrase("Hello", 1.0, 1.5),)),)
    asked = turn(videos=(1, 9), frames=chosen, heard=heard)
    (told,) = full(THREAD, SYSTEM, ThreadHistory((asked,), videos=(video(1),)))["turns"]
    recorded = json.loads(dumps(told))
    assert [record["number"] for record in recorded["videos"]] == [1, 9]
    assert recorded["videos"][0]["facts"]["seconds"] == 20.0
    number = frame_number(1, 12.36)
    assert recorded["frames"][0] == {
        "video": 1,
        "at": 12.36,
        "frame": number,
        "why": "question",
        "score": 0.91,
        "means": "embedding",
    }
    assert [frame["why"] for frame in recorded["frames"]] == ["question", "asked"]
    words = [{"text": "Hello", "start": 1.0, "end": 1.5}]
    assert recorded["heard"] == [{"video": 1, "start": 0.0, "end": 21.0, "phrases": words}]


def test_full_has_everything_recorded() -> None:
    request = ({"role": "user", "content": ["the last request"]},)
    asked = turn(photos=(1, 9), model="gpt-x", usage=Usage(10, 5), status="failed")
    whole = json.loads(dumps(full(THREAD, SYSTEM, ThreadHistory((asked,), (photo(1),), request))))
    assert list(whole) == ["version", "thread", "messages", "turns"]
    assert whole["version"] == 1
    assert whole["thread"]["conversation"] == THREAD.conversation
    assert whole["messages"] == list(request)
    recorded = whole["turns"][0]
    assert recorded["usage"] == {"prompt": 10, "completion": 5, "cached": 0}
    assert recorded["photos"][0]["facts"]["latitude"] == 48.1
    assert recorded["photos"][1] == {"number": 9}
    assert {"id", "at", "author", "model", "status", "sightings", "grounding"} <= set(recorded)


def test_before_any_request_full_has_the_system_message() -> None:
    assert full(THREAD, SYSTEM, ThreadHistory())["messages"] == [
        {"role": "system", "content": [SYSTEM]}
    ]


def test_a_request_is_kept_without_its_pictures() -> None:
    picture = Picture("P1 a.jpg", "ab" * 32, b"\xff\xd8", 10, 10, (1,))
    messages = (
        ChatMessage("system", (TextPart("Be kind."),)),
        ChatMessage("user", (picture, TextPart("What?"))),
    )
    assert request_view(messages) == [
        {"role": "system", "content": ["Be kind."]},
        {
            "role": "user",
            "content": [{"image": f"sha256:{'ab' * 32}", "name": "P1 a.jpg"}, "What?"],
        },
    ]


def test_a_request_keeps_what_introduces_a_video_as_words() -> None:
    facts = video(1).facts
    frame = Picture("V1 0:02.0", "cd" * 32, b"\xff\xd8", 10, 10, (frame_number(1, 2.0),))
    said = ChatMessage(
        "user", (VideoIntroduction("[V1: a video.]", "V1", "ab", facts), frame, TextPart("What?"))
    )
    assert request_view([said])[0]["content"] == [
        "[V1: a video.]",
        {"image": f"sha256:{'cd' * 32}", "name": "V1 0:02.0"},
        "What?",
    ]


def test_calls_of_tools_are_kept_with_the_request() -> None:
    call = ToolCall("call_a", "look", '{"photo": "P1"}')
    messages = (
        ChatMessage("assistant", (), (call,)),
        ChatMessage("tool", (TextPart("P1 follows."),), answers="call_a"),
    )
    kept = {"id": "call_a", "name": "look", "arguments": '{"photo": "P1"}'}
    assert request_view(messages) == [
        {"role": "assistant", "content": [], "tool_calls": [kept]},
        {"role": "tool", "content": ["P1 follows."], "tool_call_id": "call_a"},
    ]


def test_numbers_that_json_does_not_know_become_null() -> None:
    assert json.loads(dumps({"a": float("nan"), "b": (float("inf"), 1.5)})) == {
        "a": None,
        "b": [None, 1.5],
    }


@relaxed
@given(any_text)
def test_any_text_is_written_as_valid_utf8(text: str) -> None:
    written = dumps([text, {text: text}]).encode().decode()
    expected = re.sub(r"[\ud800-\udfff]", "\ufffd", _paired(text))
    assert json.loads(written) == [expected, {expected: expected}]


def _paired(text: str) -> str:
    """Join surrogate pairs, as JSON's own escapes do."""
    return str(json.loads(json.dumps(text)))


def test_a_short_transcript_is_one_block() -> None:
    messages = transcript(SYSTEM, ThreadHistory((turn(),)))
    (block,) = blocks(messages, 4_000)
    assert parsed(block) == messages
    assert block.count("\n") == len(messages) + 3


def test_blocks_are_filled() -> None:
    messages = transcript(SYSTEM, ThreadHistory((turn(),) * 100))
    made = blocks(messages, 1_000)
    assert all(len(block) > 800 for block in made[:-1])


@pytest.mark.parametrize("limit", [200, 1_000])
def test_long_texts_become_several_strings(limit: int) -> None:
    messages = transcript(SYSTEM, ThreadHistory((turn("`<b>` & é " * 200, "👩\u200d👧" * 300),)))
    made = blocks(messages, limit)
    assert all(len(block) <= limit for block in made)
    assert rejoined(list(chain.from_iterable(map(parsed, made)))) == messages
    strings = [
        text for block in made for m in parsed(block) for text in m["content"] if "👩" in text
    ]
    assert all(text.startswith("👩") for text in strings)


def test_a_name_too_long_for_a_block_is_cut() -> None:
    messages = transcript("s", ThreadHistory((turn(photos=(1,)),), (photo(1, "n" * 400),)))
    items = [
        item for block in blocks(messages, 200) for m in parsed(block) for item in m["content"]
    ]
    (image,) = [item for item in items if isinstance(item, dict)]
    assert image["image"] == f"sha256:{1:064x}"
    assert re.fullmatch(r"P1 n+…", image["name"])


@relaxed
@given(
    st.lists(st.tuples(any_text, any_text, st.integers(0, 3)), max_size=6), st.integers(200, 700)
)
def test_blocks_parse_keep_the_limit_and_lose_nothing(
    said: list[tuple[str, str, int]], limit: int
) -> None:
    photos = tuple(photo(number) for number in range(1, 4))
    turns = tuple(turn(q, a, photos=tuple(range(1, n + 1))) for q, a, n in said)
    messages = transcript(SYSTEM, ThreadHistory(turns, photos))
    made = blocks(messages, limit)
    assert all(len(block) <= limit and block.encode() for block in made)
    joined = list(chain.from_iterable(parsed(block) for block in made))
    assert rejoined(joined) == json.loads(dumps(messages))


def test_full_is_one_object_where_it_fits() -> None:
    whole = full(THREAD, SYSTEM, ThreadHistory((turn(),)))
    (block,) = full_blocks(whole, 4_000)
    assert parsed(block) == json.loads(dumps(whole))


@relaxed
@given(st.lists(st.tuples(any_text, any_text), max_size=4), st.integers(200, 900))
def test_a_long_full_can_be_restored_from_its_blocks(
    said: list[tuple[str, str]], limit: int
) -> None:
    turns = tuple(
        turn(q, a, photos=(1,), sightings=(VisionRecord(1, sighting(q, a)),)) for q, a in said
    )
    whole = full(THREAD, SYSTEM, ThreadHistory(turns, (photo(1),)))
    made = full_blocks(whole, limit)
    assert all(len(block) <= limit for block in made)
    values = list(map(parsed, made))
    joined = values[0] if len(made) == 1 else restored(list(chain.from_iterable(values)))
    assert joined == json.loads(dumps(whole))
