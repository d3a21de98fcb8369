"""The files of a post in Slack."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.attachments import MOST_FILES, attachment_of, files_of
from bot.errors import Reason
from tests.helpers.slack_payloads import message_event, photo


def test_every_file_of_a_post_is_listed_in_order() -> None:
    files = files_of(message_event(files=[photo(1), photo(2), photo(3)]))
    assert [file.name for file in files] == ["IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg"]
    assert {file.declared for file in files} == {"image/jpeg"}
    assert {file.problem for file in files} == {None}


def test_a_file_tells_how_to_fetch_it_and_its_smaller_pictures_largest_first() -> None:
    [file] = files_of(message_event(files=[photo()]))
    base = "https://files.slack.com/files-pri/T1-F1"
    assert file.source == {
        "id": "F1",
        "url": f"{base}/download/img.jpg",
        "thumbs": [f"{base}/img_720.jpg", f"{base}/img_360.jpg"],
    }


def test_without_a_download_address_the_plain_one_serves() -> None:
    [file] = files_of(message_event(files=[photo(url_private_download=None)]))
    assert file.source["url"] == "https://files.slack.com/files-pri/T1-F1/img.jpg"


def test_no_still_picture_stands_for_a_video() -> None:
    file = attachment_of(photo(mimetype="video/mp4", name="clip.mp4"))
    assert file.is_video
    assert file.source["thumbs"] == []


def test_files_of_shared_posts_count_and_the_same_file_counts_once() -> None:
    quotes = [{"is_share": True, "files": [photo(1), photo(2)]}, {"text": "no files"}]
    files = files_of(message_event(files=[photo(1)], attachments=quotes))
    assert [file.source["id"] for file in files] == ["F1", "F2"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"mode": "external", "is_external": True}, Reason.EXTERNAL),
        ({"mode": "hosted", "is_external": True}, Reason.EXTERNAL),
        ({"mode": "hidden_by_limit"}, Reason.HIDDEN),
        ({"mode": "tombstone"}, Reason.DELETED),
        ({"mode": "file_access", "file_access": "file_not_found"}, Reason.DELETED),
    ],
)
def test_what_slack_does_not_hand_out_is_known_at_once(
    fields: dict[str, Any], problem: Reason
) -> None:
    [file] = files_of(message_event(files=[photo(**fields)]))
    assert (file.problem, file.source, file.name) == (problem, {}, "IMG_1.jpg")


def test_a_stub_from_another_organisation_has_its_id_only() -> None:
    stub = {"id": "F9", "mode": "file_access", "file_access": "check_file_info"}
    [file] = files_of(message_event(files=[stub]))
    assert file.problem is None
    assert file.source == {"id": "F9", "url": "", "thumbs": []}


def test_a_file_without_id_and_address_cannot_be_had() -> None:
    files = files_of(message_event(files=[{"name": "a.jpg"}, {"name": "b.jpg"}]))
    assert [(file.name, file.problem) for file in files] == [
        ("a.jpg", Reason.NOT_FOUND),
        ("b.jpg", Reason.NOT_FOUND),
    ]


def test_a_file_without_a_name_has_its_title() -> None:
    assert attachment_of(photo(name=None, title="The dent")).name == "The dent"


def test_no_post_has_more_files_than_the_most() -> None:
    assert (
        len(files_of(message_event(files=[photo(number) for number in range(2000)]))) == MOST_FILES
    )


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(files=json, attachments=json, field=json)
def test_any_json_is_read_without_an_error(files: Any, attachments: Any, field: Any) -> None:
    odd = dict.fromkeys(photo(), field)
    files_of({"files": files, "attachments": attachments})
    files_of({"files": [odd, files], "attachments": [{"files": [odd]}, attachments]})
