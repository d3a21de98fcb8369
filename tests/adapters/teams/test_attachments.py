"""The attachments of an activity."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from adapters.teams.attachments import files, html_summary
from bot.domain.messages import Attachment
from bot.errors import Reason
from tests.helpers.teams_endpoint import SERVICE, activity

HOME = "https://smba.trafficmanager.net/amer/v3/attachments/0-weu-d1/views/original"
PICTURE = {"contentType": "image/*", "contentUrl": HOME}


def listed(*attachments: dict[str, Any], company: bool = True) -> list[Attachment]:
    post = activity(
        "teams_channel_post", serviceUrl=SERVICE, attachments=list(attachments), text="x"
    )
    return list(files(post, html_summary(post), in_shared_place=company))


def html(content: str) -> dict[str, Any]:
    return {"contentType": "text/html", "content": content}


def file(url: str, credential: str, media_type: str = "image/png", name: str = "") -> Attachment:
    return Attachment(name, media_type, {"url": url, "credential": credential})


def test_a_picture_at_the_connector_needs_the_bots_token() -> None:
    assert listed(PICTURE) == [file(HOME, "bot", "image/*")]


@pytest.mark.parametrize(
    ("url", "credential"),
    [
        ("https://smba.trafficmanager.net/other/v3/attachments/1", "bot"),
        ("https://europe.webchat.botframework.com/attachments/1", "bot"),
        ("http://smba.trafficmanager.net/x", "none"),
        ("https://smba.trafficmanager.net.evil.example/x", "none"),
        ("https://pictures.example/1.png", "none"),
        ("http://pictures.example/1.png", "none"),
    ],
)
def test_only_a_connector_may_see_the_bots_token(url: str, credential: str) -> None:
    assert listed({"contentType": "image/png", "contentUrl": url}) == [file(url, credential)]


def test_the_services_own_origin_may_see_the_token_whatever_it_is() -> None:
    url = "http://127.0.0.1:56150/v3/attachments/1"
    post = activity(
        "emulator_text",
        serviceUrl="http://127.0.0.1:56150/_connector",
        attachments=[{"contentType": "image/png", "contentUrl": url, "name": "a.png"}],
    )
    assert files(post, html_summary(post), in_shared_place=False) == (
        file(url, "bot", name="a.png"),
    )


def test_a_file_in_a_personal_chat_needs_no_credential() -> None:
    post = activity("teams_personal_file")
    url = post.attachments[0].content["downloadUrl"]
    assert files(post, html_summary(post), in_shared_place=False) == (
        file(url, "none", "video/mp4", "clip.mp4"),
    )


@pytest.mark.parametrize("content", [None, {}, "x", {"downloadUrl": 5}])
def test_a_file_without_an_address_is_not_found(content: Any) -> None:
    kind = "application/vnd.microsoft.teams.file.download.info"
    attachment = {"contentType": kind, "name": "a.png", "content": content}
    assert listed(attachment) == [Attachment("a.png", problem=Reason.NOT_FOUND)]


def test_a_data_uri_carries_its_bytes() -> None:
    data = base64.b64encode(b"\x89PNG").decode()
    url = f"data:image/png;base64,{data}"
    assert listed({"contentType": "image/jpeg", "contentUrl": url, "name": "a"}) == [
        Attachment("a", "image/jpeg", {"data": data})
    ]
    assert listed({"contentUrl": url}) == [Attachment("", "image/png", {"data": data})]


def test_a_data_uri_in_plain_text_becomes_base64() -> None:
    [attachment] = listed({"contentUrl": "data:text/plain,a%20b"})
    assert base64.b64decode(attachment.source["data"]) == b"a b"


@pytest.mark.parametrize(
    "attachment",
    [
        html("<p>hello</p>"),
        {"contentType": "text/html", "content": ""},
        {"contentType": "application/vnd.microsoft.card.adaptive", "content": {}},
        {"contentType": "application/vnd.microsoft.card.hero", "contentUrl": "https://x.example/"},
        {"contentType": "application/vnd.microsoft.teams.card.file.consent", "content": {}},
        {"contentType": "messageReference", "content": "{}", "id": "1"},
        {
            "contentType": "image/*",
            "contentUrl": "https://statics.teams.microsoft.com/evergreen-assets/smile.png",
        },
        {"contentType": "image/png"},
        {},
    ],
)
def test_what_is_no_file(attachment: dict[str, Any]) -> None:
    assert listed(attachment) == []


def test_unknown_kinds_with_an_address_are_files() -> None:
    url = "https://files.example/1"
    assert listed({"contentType": "application/octet-stream", "contentUrl": url}) == [
        file(url, "none", "application/octet-stream")
    ]
    assert listed({"contentUrl": url}) == [file(url, "none", "")]
    assert listed({"contentType": "text/html", "contentUrl": url}) == [
        file(url, "none", "text/html")
    ]


def test_a_pasted_picture_and_its_html_are_one_file() -> None:
    image = '<img itemtype="http://schema.skype.com/AMSImage" src="https://x.asm.skype.com/1">'
    assert listed(PICTURE, html(image)) == [file(HOME, "bot", "image/*")]


def test_pictures_that_only_the_html_shows_are_a_problem_each() -> None:
    image = '<img itemtype="http://schema.skype.com/AMSImage" src="https://x.asm.skype.com/1">'
    only = Attachment(problem=Reason.HTML_ONLY)
    assert listed(html(image * 2)) == [only, only]
    assert listed(PICTURE, html(image * 2)) == [file(HOME, "bot", "image/*"), only]
    assert listed(html(image), company=False) == []


def test_emoji_beside_a_picture_are_no_problem() -> None:
    emoji = '<img itemtype="http://schema.skype.com/Emoji" src="https://x.example/smile.png">'
    assert listed(PICTURE, html(f"<img src='x'>{emoji}")) == [file(HOME, "bot", "image/*")]


def test_a_file_that_only_the_html_names_is_a_problem() -> None:
    only = Attachment(problem=Reason.HTML_ONLY)
    assert listed(html('<attachment id="a"></attachment>')) == [only]
    assert listed(html("<attachment></attachment>")) == [only]


def test_a_reference_that_the_html_names_is_no_file() -> None:
    reference = {"contentType": "messageReference", "id": "a", "content": "{}"}
    assert listed(reference, html('<attachment id="a"></attachment>')) == []


def test_a_clip_recorded_in_teams_is_a_problem_everywhere() -> None:
    clip = html('<video itemtype="http://schema.skype.com/AMSVideo" src="https://x/1"></video>')
    assert listed(clip) == [Attachment(problem=Reason.VIDEO_CLIP)]
    assert listed(clip, company=False) == [Attachment(problem=Reason.VIDEO_CLIP)]


def test_names_are_one_short_line() -> None:
    url = "https://files.example/1"
    [attachment] = listed({"contentUrl": url, "name": "a\r\nb\u202e" + "x" * 500})
    assert attachment.name == "a b " + "x" * 196
