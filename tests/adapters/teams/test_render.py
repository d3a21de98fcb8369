"""Posts as activities, checked against the limits of Teams."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.teams import render
from adapters.teams.addresses import TeamsAddress, read_address
from adapters.teams.markdown import translate
from adapters.teams.settings import TeamsLimits
from bot import strings as texts
from bot.commands.json_blocks import blocks, full_blocks
from bot.ports.channel import Button, Citation, Post, Stage

ADDRESS = read_address(
    {
        "conversation": "19:a@thread.tacv2;messageid=1",
        "bot": {"id": "28:bot", "name": "Loupe"},
        "user": {"id": "29:alex", "name": "Alex"},
    }
)


def test_a_text_is_a_markdown_message_from_the_bot_to_the_user():
    assert render.message(ADDRESS, Post("# A car")) == {
        "type": "message",
        "from": {"id": "28:bot", "name": "Loupe"},
        "recipient": {"id": "29:alex", "name": "Alex"},
        "conversation": {"id": "19:a@thread.tacv2;messageid=1"},
        "text": "**A car**",
        "textFormat": "markdown",
    }


def test_people_who_are_not_known_are_not_named():
    activity = render.typing(TeamsAddress("c", bot={"id": "", "name": ""}))
    assert activity == {"type": "typing", "conversation": {"id": "c"}}


def test_generated_text_has_exactly_one_label():
    entities = render.message(ADDRESS, Post("A car", is_generated=True))["entities"]
    assert [one["type"] for one in entities] == ["https://schema.org/Message"]
    assert entities[0]["additionalType"] == ["AIGeneratedContent"]


@pytest.mark.parametrize("is_generated", [True, False])
def test_text_never_makes_a_mention(is_generated):
    activity = render.message(
        ADDRESS, Post("<at>Everyone</at> <at>Loupe</at>", is_generated=is_generated)
    )
    assert "<at>" not in json.dumps(activity)
    assert "mention" not in {one["type"] for one in activity.get("entities", [])}


def test_growing_text_is_shown_as_far_as_it_will_stay():
    post = Post("A car\n# Ti", Stage.GROWING)
    assert render.text(post) == "A car"
    assert render.text(Post(post.text)) == "A car\n\n**Ti**"


@pytest.mark.parametrize("letter", ["x", "\u20ac", "\U0001f697", "<", "a line\n"])
def test_a_text_that_is_too_large_is_cut_and_says_so(letter):
    text = render.text(Post(letter * 100_000))
    assert len(text.encode("utf-16-le")) <= render.MAX_BYTES
    assert text.endswith(f"\n\n{texts.CUT}")
    assert len(text) > 15_000


def test_a_text_is_cut_at_a_line_end():
    text = render.text(Post("twenty letters long.\n" * 5_000))
    assert set(text.removesuffix(texts.CUT).split("\n")) == {"twenty letters long.", ""}


def test_half_a_character_stays_whole_in_json():
    activity = render.message(ADDRESS, Post("a \ud83d b"))
    assert json.loads(json.dumps(activity))["text"] == "a \ud83d b"


def test_buttons_make_a_card_and_no_text():
    buttons = (Button("Continue", "/system continue"), Button("Cancel", "/system cancel"))
    activity = render.message(ADDRESS, Post("Old\n\nNew", buttons=buttons))
    assert "text" not in activity
    [attachment] = activity["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [block["text"] for block in attachment["content"]["body"]] == ["Old", "New"]
    assert all(block["wrap"] for block in attachment["content"]["body"])
    assert attachment["content"]["actions"] == [
        {
            "type": "Action.Submit",
            "title": "Continue",
            "data": {"loupe": "/system continue"},
        },
        {
            "type": "Action.Submit",
            "title": "Cancel",
            "data": {"loupe": "/system cancel"},
        },
    ]


CITED = (Citation(1, "car", "Outlined on P1."), Citation(2, "plate", "Outlined on P1."))


def test_the_numbers_of_a_final_text_are_cited_in_the_one_label():
    entities = render.message(ADDRESS, Post("A car [1].", is_generated=True, citations=CITED))[
        "entities"
    ]
    assert entities == [
        {
            "type": "https://schema.org/Message",
            "@type": "Message",
            "@context": "https://schema.org",
            "additionalType": ["AIGeneratedContent"],
            "citation": [
                {
                    "@type": "Claim",
                    "position": 1,
                    "appearance": {
                        "@type": "DigitalDocument",
                        "name": "car",
                        "abstract": "Outlined on P1.",
                        "image": {"@type": "ImageObject", "name": "Image"},
                    },
                }
            ],
        }
    ]


def test_a_text_that_still_grows_cites_nothing():
    post = Post("A car [1]", Stage.GROWING, is_generated=True, citations=CITED)
    assert "citation" not in render.message(ADDRESS, post)["entities"][0]
    assert "entities" not in render.message(ADDRESS, Post("A car", citations=CITED))


def test_what_no_model_wrote_is_cited_without_the_label():
    [entity] = render.message(ADDRESS, Post("A car [1]", citations=CITED))["entities"]
    assert "additionalType" not in entity
    assert len(entity["citation"]) == 1


def test_citations_keep_to_the_limits_of_teams():
    cited = tuple(Citation(at, "car " * 40, "on a photo " * 40) for at in range(1, 31))
    text = "".join(f"[{citation.number}]" for citation in cited)
    [entity] = render.message(ADDRESS, Post(text, citations=cited))["entities"]
    appearances = [claim["appearance"] for claim in entity["citation"]]
    assert [claim["position"] for claim in entity["citation"]] == list(range(1, 21))
    assert {len(one["name"]) <= 80 and one["name"].endswith("…") for one in appearances} == {True}
    assert {len(one["abstract"]) <= 160 for one in appearances} == {True}


def test_a_picture_is_a_message_without_text():
    activity = json.loads(render.picture(ADDRESS, "P1 IMG_0042.jpg", b"\xff\xd8pixels"))
    [attachment] = activity.pop("attachments")
    head, data = attachment.pop("contentUrl").split(",")
    assert attachment == {"contentType": "image/jpeg", "name": "P1 IMG_0042.jpg"}
    assert (head, base64.b64decode(data)) == ("data:image/jpeg;base64", b"\xff\xd8pixels")
    assert activity == render.base(ADDRESS, "message")


HOSTILE = [
    "look ![x](https://evil.example/x.png)",
    "<at>all</at> &lt;",
    "```\n# x\n| a |\n~~~",
    "![",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=40), max_size=6), st.integers(200, 900))
def test_transcripts_are_shown_as_they_are(contents, limit):
    messages = [{"role": "user", "content": [words]} for words in contents]
    for block in [*blocks(messages, limit), *full_blocks({"messages": messages}, limit)]:
        assert translate(block) == block
    [block] = full_blocks({"messages": messages}, 20_000)
    text = render.text(Post(block)).removeprefix("```json\n").removesuffix("\n```")
    assert json.loads(text) == {"messages": messages}


def test_the_longest_transcript_block_is_not_cut():
    limit = TeamsLimits.model_fields["text_limit"]
    messages = [{"role": "user", "content": ["\N{CAMERA}" * 60_000]}]
    for block in blocks(messages, limit.default):
        assert render.text(Post(block)) == block
    with pytest.raises(ValidationError):
        TeamsLimits(text_limit=limit.default + 1)
