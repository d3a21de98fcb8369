from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, Draft7Validator
from PIL import Image

from adapters.manifests import build_slack, build_teams
from adapters.slack.web_api import RATES
from bot.commands.registry import GRAMMAR
from bot.settings import SettingsError

HERE = Path(__file__).parents[1]
SOURCE = HERE.parent
APP_ID = "6f1c2a8e-3b7d-4c59-9e10-2d4f8a6b7c31"
HOST = "bot.example.com"
COMMANDS = {
    *("/help", "/json", "/json full", "/photos", "/usage"),
    *("/system", "/vision", "/model", "/watch"),
    *("/stop", "/reset", "/forget"),
}


def schema(name: str) -> Any:
    return json.loads((HERE / "schemas" / name).read_text())


@pytest.fixture(scope="module")
def package() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(build_teams(GRAMMAR.specs, APP_ID, HOST, "1.2.3")))


@pytest.fixture(scope="module")
def teams(package: zipfile.ZipFile) -> Any:
    return json.loads(package.read("manifest.json"))


@pytest.fixture
def slack() -> Any:
    return yaml.safe_load(build_slack(GRAMMAR.specs, HOST))


@pytest.fixture
def socket() -> Any:
    return yaml.safe_load(build_slack(GRAMMAR.specs, socket=True))


def test_the_teams_manifest_is_valid(teams: Any) -> None:
    errors = [
        error.message for error in Draft4Validator(schema("teams-1.29.json")).iter_errors(teams)
    ]
    assert errors == []


def test_the_schema_would_notice_a_mistake(teams: Any) -> None:
    broken = json.loads(json.dumps(teams).replace('"groupChat"', '"groupchat"'))
    assert not Draft4Validator(schema("teams-1.29.json")).is_valid(broken)


def test_the_teams_package_holds_its_files_at_the_root(package: zipfile.ZipFile) -> None:
    assert package.testzip() is None
    assert sorted(package.namelist()) == ["color.png", "manifest.json", "outline.png"]


def test_every_placeholder_of_the_teams_manifest_is_filled(teams: Any) -> None:
    text = json.dumps(teams)
    assert teams["id"] == teams["bots"][0]["botId"] == teams["webApplicationInfo"]["id"] == APP_ID
    assert teams["version"] == "1.2.3"
    assert teams["validDomains"] == [HOST]
    for name in ("{app_id}", "{host}", "{version}"):
        assert name not in text


def test_loupe_is_everywhere_in_teams_with_files_and_all_messages(teams: Any) -> None:
    [bot] = teams["bots"]
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert bot["supportsFiles"]
    assert teams["authorization"]["permissions"]["resourceSpecific"] == [
        {"name": "ChannelMessage.Read.Group", "type": "Application"},
        {"name": "ChatMessage.Read.Chat", "type": "Application"},
    ]


def test_every_command_is_offered_and_watch_only_where_others_post(teams: Any) -> None:
    offered = {
        tuple(commands["scopes"]): [command["title"] for command in commands["commands"]]
        for commands in teams["bots"][0]["commandLists"]
    }
    shared, personal = offered["team", "groupChat"], offered[("personal",)]
    assert set(shared) == COMMANDS
    assert set(personal) == COMMANDS - {"/watch"}


def test_the_colour_icon_is_a_full_square(package: zipfile.ZipFile) -> None:
    icon = Image.open(io.BytesIO(package.read("color.png")))
    assert (icon.format, icon.size, icon.mode) == ("PNG", (192, 192), "RGB")
    assert len(icon.getcolors(192 * 192) or []) > 2


def test_the_outline_icon_is_white_on_transparent(package: zipfile.ZipFile) -> None:
    icon = Image.open(io.BytesIO(package.read("outline.png")))
    assert (icon.format, icon.size, icon.mode) == ("PNG", (32, 32), "RGBA")
    colors = {color for _, color in icon.getcolors(32 * 32) or []}
    assert {color[:3] for color in colors} == {(255, 255, 255)}
    assert {0, 255} <= {color[3] for color in colors}


def test_equal_settings_give_equal_packages() -> None:
    assert build_teams(GRAMMAR.specs, APP_ID, HOST, "1.2.3") == build_teams(
        GRAMMAR.specs, APP_ID, HOST, "1.2.3"
    )


def slack_errors(manifest: Any) -> list[str]:
    validator = Draft7Validator(schema("slack-manifest.json"))
    return sorted(error.message for error in validator.iter_errors(manifest))


def test_the_slack_manifest_is_valid(slack: Any, socket: Any) -> None:
    assert slack_errors(slack) == slack_errors(socket) == []


def test_the_slack_schema_would_notice_a_mistake(slack: Any, socket: Any) -> None:
    broken = json.loads(json.dumps(slack).replace('"message"', '"massage"'))
    assert "'massage' is not one of ['message', 'global']" in slack_errors(broken)
    socket["settings"]["socket_mode_enabled"] = False
    address = "'request_url' is a required property"
    assert slack_errors(socket) == [address, address, "'url' is a required property"]


def test_by_http_slack_is_told_one_address_for_everything(slack: Any) -> None:
    address = f"https://{HOST}/slack/events"
    assert not slack["settings"]["socket_mode_enabled"]
    assert slack["settings"]["event_subscriptions"]["request_url"] == address
    assert slack["settings"]["interactivity"] == {"is_enabled": True, "request_url": address}
    assert [command["url"] for command in slack["features"]["slash_commands"]] == [address]


def test_through_a_socket_slack_needs_no_address_and_all_else_is_the_same(
    slack: Any, socket: Any
) -> None:
    assert socket["settings"]["socket_mode_enabled"]
    assert "http" not in build_slack(GRAMMAR.specs, socket=True)
    del slack["settings"]["event_subscriptions"]["request_url"]
    del slack["settings"]["interactivity"]["request_url"]
    del slack["features"]["slash_commands"][0]["url"]
    slack["settings"]["socket_mode_enabled"] = True
    assert socket == slack


def test_a_message_can_be_analysed_by_a_shortcut(slack: Any) -> None:
    [shortcut] = slack["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", "analyse")


EVENTS = {
    "agent_session_stopped": {"assistant:write"},
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "channel_left": {"channels:read"},
    "group_left": {"groups:read"},
    "member_joined_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "reaction_added": {"reactions:read"},
    "tokens_revoked": set(),
}
"""Slack's events that Loupe wants, and the scopes without which they do not come."""

METHODS = {
    "agents.": {"assistant:write"},
    "assistant.": {"assistant:write"},
    "chat.": {"chat:write"},
    "conversations.": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "files.completeUploadExternal": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "files.info": {"files:read"},
    "users.info": {"users:read"},
}
"""What begins the names of Slack's methods, and the scopes that they need."""


def test_every_slack_event_has_its_scopes(slack: Any) -> None:
    scopes = set(slack["oauth_config"]["scopes"]["bot"])
    assert set(slack["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert set().union(*EVENTS.values()) <= scopes


def test_every_slack_method_has_its_scopes_and_no_scope_is_asked_for_in_vain(slack: Any) -> None:
    needed = [{"commands"}, *EVENTS.values()]
    for method in RATES:
        [scopes] = [scopes for begin, scopes in METHODS.items() if method.startswith(begin)]
        needed.append(scopes)
    assert set(slack["oauth_config"]["scopes"]["bot"]) == set().union(*needed)


@pytest.mark.parametrize(
    "host", ["https://bot.example.com/", " Bot.Example.com", "bot.example.com"]
)
def test_a_host_may_be_given_as_an_address(host: str) -> None:
    assert build_slack(GRAMMAR.specs, host) == build_slack(GRAMMAR.specs, HOST)


@pytest.mark.parametrize(
    ("app_id", "host", "version", "complaint"),
    [
        ("", HOST, "1.0.0", r"MicrosoftAppId has the value '': it has to be a GUID\."),
        (APP_ID + "0", HOST, "1.0.0", "MicrosoftAppId"),
        (APP_ID, "localhost", "1.0.0", "host has the value 'localhost'"),
        (APP_ID, "http://bot.example.com", "1.0.0", "host"),
        (APP_ID, 'bot.example.com", "x', "1.0.0", "host"),
        (APP_ID, "bot.example.com:3978", "1.0.0", "host"),
        (APP_ID, HOST, "1.0", "version has the value '1.0': it has to be three numbers"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    app_id: str, host: str, version: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        build_teams(GRAMMAR.specs, app_id, host, version)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(["-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], SOURCE)
    [wheel] = folder.glob("*.whl")
    return wheel


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_every_file_of_its_packages(wheel: Path) -> None:
    there = {
        path.relative_to(SOURCE).as_posix()
        for package in ("bot", "adapters", "manifest")
        for path in (SOURCE / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert there - names == set()
    assert {name for name in names if name.endswith(("/LICENSE", "/entry_points.txt"))}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed in, without what it depends on."""
    target = tmp_path_factory.mktemp("installed")
    options = ["-q", "--no-deps", "--no-index", "--target", str(target)]
    run(["-m", "pip", "install", *options, str(wheel)], target)
    return target


def test_both_packages_are_built_from_an_installed_wheel(installed: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(installed)!r})
import adapters.manifests as manifests
from bot.commands.registry import GRAMMAR
assert manifests.__file__.startswith({str(installed)!r})
assert str(manifests.resources.files("manifest")).startswith({str(installed)!r})
print(len(manifests.build_teams(GRAMMAR.specs, {APP_ID!r}, {HOST!r}, "1.2.3")))
print(len(manifests.build_slack(GRAMMAR.specs, {HOST!r})))
"""
    assert run(["-c", program], installed.parent).split() == [
        str(len(build_teams(GRAMMAR.specs, APP_ID, HOST, "1.2.3"))),
        str(len(build_slack(GRAMMAR.specs, HOST))),
    ]


def test_the_scripts_of_redis_are_read_from_an_installed_wheel(installed: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(installed)!r})
from redis.asyncio import Redis
from adapters import lua_scripts
assert lua_scripts.__file__.startswith({str(installed)!r})
for package, name, prelude in (
    ("adapters.redis", "accept", "prelude"),
    ("adapters.page", "put_message", ""),
):
    print(*lua_scripts.LuaScript(Redis(), package, name, prelude).arguments[:2])
"""
    assert run(["-c", program], installed.parent).splitlines() == ["box digest", "id body"]
