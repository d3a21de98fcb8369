"""Posts as blocks: harmless text within Slack's limits, buttons, and what stands below answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.blocks import MAX_BUTTONS, MAX_TEXT, fit, message, tail, text
from bot import strings as texts
from bot.ports.channel import Button, Post, Stage


def test_a_text_is_one_block_of_markdown() -> None:
    assert message(Post("# A **car**\n\n| a | b |\n|---|---|")) == {
        "text": "# A **car**\n\n| a | b |\n|---|---|",
        "blocks": [{"type": "markdown", "text": "# A **car**\n\n| a | b |\n|---|---|"}],
    }


@pytest.mark.parametrize(
    "hostile",
    ["<!channel>", "<@U012AB3CD>", "<#C012|general>", "<!subteam^S1>", "<https://x.test|y>", "<!"],
)
def test_nothing_in_a_text_is_a_mention_or_a_link_of_slacks(hostile: str) -> None:
    arguments = message(Post(f"Say {hostile} now"))
    for words in (arguments["text"], arguments["blocks"][0]["text"]):
        assert hostile not in words
        assert words.replace("\u2060", "") == f"Say {hostile} now"


def test_a_picture_from_elsewhere_is_no_picture() -> None:
    assert "![" not in text(Post("![x](https://x.test/a.png)"))


@given(st.text(), st.text())
def test_a_growing_text_stays_growing(start: str, more: str) -> None:
    first, second = (text(Post(one, Stage.GROWING, live=True)) for one in (start, start + more))
    assert second.startswith(first.removesuffix("!"))


def test_a_text_that_is_too_long_is_cut_at_a_line_and_says_so() -> None:
    short_text = text(Post("\n".join(f"line {n}" for n in range(3000))))
    assert len(short_text) <= MAX_TEXT
    assert short_text.endswith(f"\n\n{texts.CUT}")
    assert short_text.removesuffix(f"\n\n{texts.CUT}").splitlines()[-1].startswith("line ")
    assert len(fit("x" * 20_000, MAX_TEXT)) <= MAX_TEXT


def test_signs_that_are_parted_count() -> None:
    assert len(text(Post("<" * MAX_TEXT))) <= MAX_TEXT


def test_buttons_send_their_commands() -> None:
    arguments = message(Post("Sure?", buttons=(Button("Yes", "/reset"), Button("No", "/help"))))
    (actions,) = arguments["blocks"][1:]
    assert actions["type"] == "actions"
    assert [(one["text"]["text"], one["value"]) for one in actions["elements"]] == [
        ("Yes", "/reset"),
        ("No", "/help"),
    ]
    assert len({one["action_id"] for one in actions["elements"]}) == 2


def test_buttons_keep_to_slacks_limits() -> None:
    buttons = tuple(Button("t" * 99, "/" + "v" * 3000) for _ in range(30))
    (actions,) = tail(Post("", buttons=buttons))
    assert len(actions["elements"]) == MAX_BUTTONS
    assert {len(one["text"]["text"]) for one in actions["elements"]} == {75}
    assert {len(one["value"]) for one in actions["elements"]} == {2000}


def test_a_whole_answer_of_a_model_is_labelled_and_can_be_rated() -> None:
    label, feedback = tail(Post("A car.", is_generated=True))
    assert label["elements"][0]["text"] == texts.SLACK_GENERATED
    (buttons,) = feedback["elements"]
    assert (feedback["type"], buttons["type"]) == ("context_actions", "feedback_buttons")
    assert {buttons[f"{kind}_button"]["value"] for kind in ("positive", "negative")} == {
        "good",
        "bad",
    }


@pytest.mark.parametrize(
    "post", [Post("Hello"), Post("A c", Stage.GROWING, live=True, is_generated=True)]
)
def test_nothing_stands_below_what_is_no_whole_answer(post: Post) -> None:
    assert tail(post) == []
