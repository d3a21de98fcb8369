"""The HTML that Teams sends with a message."""

from __future__ import annotations

import time

import pytest

from adapters.teams.html import MAX_LENGTH, HtmlSummary, is_emoji

REPLY = (
    '<blockquote itemscope="" itemtype="http://schema.skype.com/Reply" itemid="1600457867820">'
    '<strong itemprop="mri" itemid="8:orgid:0">Somebody</strong>'
    '<p itemprop="preview">an older <img src="https://x.example/1.png"> picture</p></blockquote>'
)


def test_pasted_images_are_counted() -> None:
    html = HtmlSummary(
        '<p><img alt="image" src="https://as-api.asm.skype.com/v1/objects/1/views/imgo"'
        ' itemtype="http://schema.skype.com/AMSImage"><IMG src="https://x.example/2.png"/></p>'
    )
    assert html.pictures == 2


@pytest.mark.parametrize(
    "image",
    [
        '<img itemtype="http://schema.skype.com/Emoji" alt="smile" src="https://x.example/1.png">',
        '<img src="https://statics.teams.cdn.office.net/evergreen-assets/1.png">',
        "<img src='https://statics.teams.microsoft.com/icons/1.png'>",
        '<img itemtype="http://schema.skype.com/Mention" src="https://x.example/1.png">',
    ],
)
def test_emoji_and_mentions_are_no_pictures(image: str) -> None:
    assert HtmlSummary(f"<p>{image}</p>").pictures == 0


def test_clips_recorded_in_teams_are_counted() -> None:
    html = HtmlSummary(
        '<video src="https://as-api.asm.skype.com/v1/objects/1/views/video"'
        ' itemtype="http://schema.skype.com/AMSVideo" data-duration="PT1.4S"></video>'
        '<video src="https://x.example/1.mp4"></video>'
    )
    assert html.clips == 1


def test_attached_files_are_listed() -> None:
    assert HtmlSummary('<div>x</div><attachment id="a-1"></attachment>').files == ["a-1"]


def test_a_quoted_message_is_named_and_left_out() -> None:
    html = HtmlSummary(f"<div>{REPLY}<p>and this?</p></div>")
    assert html.quoted_id == "1600457867820"
    assert html.text == "and this?"
    assert html.pictures == 0


def test_the_first_of_nested_quotes_is_named() -> None:
    inner = REPLY.replace("1600457867820", "2")
    html = HtmlSummary(REPLY.replace("</blockquote>", f"{inner}</blockquote>") + "<p>so?</p>")
    assert (html.quoted_id, html.text) == ("1600457867820", "so?")


def test_an_ordinary_quotation_is_part_of_the_text() -> None:
    assert HtmlSummary("<blockquote>as they say</blockquote>yes").text == "as they say\nyes"


def test_text_has_lines_and_characters_instead_of_markup() -> None:
    html = HtmlSummary("<p>a &lt;b&gt; &amp; c<br/>d</p><!-- not this --><ul><li>e</li></ul>")
    assert html.text == "a <b> & c\nd\ne"


@pytest.mark.parametrize("text", ["1 < 2", "a <3 b", "<", "<<img", "a </", "<!x"])
def test_what_is_no_tag_is_text(text: str) -> None:
    assert HtmlSummary(text).text == text


@pytest.mark.parametrize(
    "part", ["<", "<!--", "<a ", '<a x="', "<blockquote>", "</p>", "<img src=", "<at>", "a='"]
)
def test_hostile_markup_costs_little(part: str) -> None:
    before = time.process_time()
    HtmlSummary(part * (MAX_LENGTH // len(part)))
    assert time.process_time() - before < 1


def test_addresses_that_cannot_be_read_are_no_emoji() -> None:
    assert not is_emoji("https://[broken/1.png")
