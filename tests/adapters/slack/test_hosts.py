"""Which addresses are Slack's, and so may see the token, get bytes or an answer."""

from __future__ import annotations

import pytest

from adapters.slack.hosts import SlackHosts

SLACK = SlackHosts("https://slack.com/api")
STAND_IN = SlackHosts("http://127.0.0.1:4000/api")


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com/files-pri/T1-F1/a.jpg",
        "https://FILES.slack.com:443/files-pri/T1-F1/download/a.jpg?x=1",
        "https://files-origin.slack.com/files-pri/T1-F1/a.jpg",
        "https://files.slack-gov.com/files-pri/T1-F1/a.jpg",
    ],
)
def test_slack_s_file_hosts_see_the_token_and_get_files(url: str) -> None:
    assert SLACK.files(url)
    assert SLACK.upload(url)
    assert not SLACK.response(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "files.slack.com/a",
        "http://files.slack.com/a",
        "https://files.slack.com:8443/a",
        "https://files.slack.com.evil.example/a",
        "https://evil-files.slack.com/a",
        "https://user@files.slack.com/a",
        "https://files.slack.com@evil.example/a",
        "https://files.slack.com\\@evil.example/a",
        "https://slack.com/api/a",
        "http://127.0.0.1:4000/a",
        "ftp://files.slack.com/a",
    ],
)
def test_no_other_address_does(url: str) -> None:
    assert not SLACK.files(url)
    assert not SLACK.upload(url)
    assert not SLACK.response(url)


def test_answers_are_hooked_in_at_slack_only() -> None:
    assert SLACK.response("https://hooks.slack.com/actions/T1/1/x")
    assert SLACK.response("https://hooks.slack-gov.com/actions/T1/1/x")
    assert not SLACK.response("https://hooks.slack.com.evil.example/actions/T1/1/x")
    assert not SLACK.files("https://hooks.slack.com/actions/T1/1/x")


def test_a_slack_on_this_machine_has_everything_at_its_own_origin() -> None:
    assert STAND_IN.local == "http://127.0.0.1:4000"
    own = "http://127.0.0.1:4000/files/a"
    assert STAND_IN.files(own)
    assert STAND_IN.upload(own)
    assert STAND_IN.response(own)
    assert not STAND_IN.files("http://127.0.0.1:4001/files/a")
    assert not STAND_IN.files("http://localhost:4000/files/a")


@pytest.mark.parametrize("api_url", ["https://slack.com/api", "https://proxy.example/api", ""])
def test_a_slack_elsewhere_opens_no_way_into_this_machine(api_url: str) -> None:
    assert SlackHosts(api_url).local == ""
