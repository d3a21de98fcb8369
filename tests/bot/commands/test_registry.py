"""A command is declared once: what is added to the registry is known everywhere."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.manifests import build_slack, build_teams
from adapters.redis.history import RedisHistory
from adapters.slack.addresses import TOP
from adapters.slack.interactions import SlashCommand
from adapters.slack.thread_index import ThreadIndex
from bot.commands.declaration import CommandDeclaration, CommandReply, CommandRequest
from bot.commands.executor import CommandExecutor
from bot.commands.preferences import Preferences
from bot.commands.registry import COMMANDS, GRAMMAR
from bot.domain.command_grammar import CommandGrammar
from bot.domain.commands import Command, CommandSpec, Effect, MenuItem
from bot.domain.messages import Author, Message
from bot.domain.preferences import Deployment
from bot.domain.threads import Thread
from bot.limits import MessageLimits, RetentionLimits
from bot.ports.channel import Button, Capabilities
from bot.ports.mailbox import Entry, Receipt, Submission
from bot.queue.inbox import Inbox
from bot.strings import SLASH_NEEDS_THREAD, SLASH_NO_THREAD
from tests.helpers.generated_docs import commands_table, order_table, slash_table
from tests.helpers.slack_payloads import WORKSPACE, slash

if TYPE_CHECKING:
    from bot.commands.declaration import CommandServices
    from bot.domain.commands import SlashTarget

ROOT = Path(__file__).parents[3]
THREAD = Thread("slack", "T1", "C1", "1.0")


async def _zoom(request: CommandRequest, _: CommandServices) -> CommandReply:
    return CommandReply((f"Zoomed {request.argument}.",))


def zoom(effect: Effect = Effect.SETS, **fields: Any) -> CommandDeclaration:
    spec = {
        "argument": "in|out",
        "summary": "look closer, or from afar",
        "rank": 4,
        "menu": (MenuItem("Look closer here", "Look closer in this thread"),),
        "button": "Zoom",
        **fields,
    }
    return CommandDeclaration(CommandSpec(name="zoom", effect=effect, **spec), _zoom)


def grammar(declaration: CommandDeclaration) -> CommandGrammar:
    return CommandGrammar([command.spec for command in (*COMMANDS, declaration)])


def handlers(declaration: CommandDeclaration) -> CommandExecutor:
    redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    history = RedisHistory(redis, RetentionLimits())
    preferences = Preferences(history, Deployment("Be brief.", ("gpt-5.1",), {}))
    attachments: Any = None
    return CommandExecutor(history, preferences, attachments, (*COMMANDS, declaration))


def request(command: Command | None, *, shared: bool = True, prefix: str = "/") -> CommandRequest:
    assert command is not None
    message = Message("m1", THREAD, Author("U1", "Alex"), "/zoom in", shared=shared)
    can = Capabilities(text_limit=4000, prefix=prefix)
    return CommandRequest(command, Entry(1, 100.0, message), can, now=100.0)


def test_it_is_read_and_found_when_misspelt() -> None:
    added = zoom()
    reader = grammar(added)
    assert reader.parse("/zoom IN") == Command(added.spec, "in")
    assert reader.parse("!zoom sideways") == Command(added.spec, "sideways", valid=False)
    assert reader.parse("/zoon") == Command(added.spec, valid=False, unknown_name="zoon")
    assert GRAMMAR.parse("/zoom in") is None


async def test_it_is_carried_out_by_its_handler_where_it_may_be_given() -> None:
    added = zoom(shared_only="Only in channels.")
    bench = handlers(added)
    command = bench.grammar.parse("/zoom in")
    assert (await bench.execute(request(command))).texts == ("Zoomed in.",)
    assert (await bench.execute(request(command, shared=False))).texts == ("Only in channels.",)
    (answer,) = (await bench.execute(request(bench.grammar.parse("/zoom sideways")))).texts
    assert "`/zoom in|out`" in answer


async def test_it_stands_in_the_help_with_its_button() -> None:
    bench = handlers(zoom())
    reply = await bench.execute(request(bench.grammar.parse("!help"), prefix="!"))
    assert "`!zoom in|out`: look closer, or from afar" in reply.texts[0]
    assert reply.buttons[-1] == Button("Zoom", "/zoom")


@pytest.mark.parametrize(
    ("effect", "how"),
    [
        (Effect.READS, {"express": True}),
        (Effect.STOPS, {"express": True, "stops": True}),
        (Effect.SETS, {}),
        (Effect.ERASES, {"stops": True}),
    ],
)
async def test_its_effect_says_how_it_waits(effect: Effect, how: dict[str, bool]) -> None:
    class Mailbox:
        submission: Submission

        async def accept(self, submission: Submission) -> Receipt:
            self.submission = submission
            return Receipt("accepted", 1)

    async def notice(message: Message, receipt: Receipt) -> None:
        pass

    mailbox: Any = Mailbox()
    history: Any = None
    message = Message("m1", THREAD, Author("U1", "Alex"), "/zoom in", addressed=False)
    inbox = Inbox(mailbox, history, grammar(zoom(effect)), notice, MessageLimits())
    assert await inbox.receive(message)
    assert mailbox.submission == Submission(message, joins=False, **how)


@pytest.mark.parametrize(
    ("target", "latest", "answer"),
    [
        ("place", "1.0", TOP),
        ("latest thread", "1.0", "1.0"),
        ("latest thread", "", SLASH_NO_THREAD),
        ("none", "1.0", SLASH_NEEDS_THREAD),
    ],
)
def test_slacks_slash_command_takes_it_as_it_declares(
    target: SlashTarget, latest: str, answer: str
) -> None:
    command = SlashCommand(slash("zoom in"), WORKSPACE, grammar(zoom(slash=target)))
    assert command.needs_latest_thread is (target == "latest thread")
    message = command.read(latest)
    assert (message if isinstance(message, str) else message.thread.root) == answer


@pytest.mark.parametrize("announced", [True, False])
def test_what_concerns_everybody_is_told_to_everybody(announced: bool) -> None:
    reader = grammar(zoom(is_announced=announced))
    message = SlashCommand(slash("zoom in"), WORKSPACE, reader).read("")
    assert isinstance(message, Message)
    assert message.address.delivery.announce is announced


@pytest.mark.parametrize(("effect", "lasts"), [(Effect.SETS, True), (Effect.READS, False)])
async def test_slack_keeps_threads_with_settings_of_it_in_mind(effect: Effect, lasts: bool) -> None:
    redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    index = ThreadIndex(redis, 60, grammar(zoom(effect)))
    await index.note(Message("m1", THREAD, Author("U1", "Alex"), "/zoom in"))
    members = [await redis.smembers(key) for key in await redis.keys("*:lasting")]
    assert bool(members) is lasts


def test_both_manifests_offer_it() -> None:
    specs = grammar(zoom()).specs
    hint = yaml.safe_load(build_slack(specs, socket=True))["features"]["slash_commands"][0]
    assert hint["usage_hint"].endswith(" | watch photos | zoom in")
    assert teams_menus(specs) == {
        "personal": "Look closer here",
        "team": "Look closer in this thread",
    }


def test_menus_and_hints_leave_out_what_cannot_be_given_there() -> None:
    specs = grammar(zoom(shared_only="Only in channels.", slash="none")).specs
    hint = yaml.safe_load(build_slack(specs, socket=True))["features"]["slash_commands"][0]
    assert "zoom" not in hint["usage_hint"]
    assert teams_menus(specs) == {"team": "Look closer in this thread"}


def teams_menus(specs: tuple[CommandSpec, ...]) -> dict[str, str]:
    """Return the descriptions of `/zoom` by the first scope of the menu."""
    package = build_teams(specs, "6f1c2a8e-3b7d-4c59-9e10-2d4f8a6b7c31", "bot.example.com", "1.0.0")
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(package)).read("manifest.json"))
    return {
        menu["scopes"][0]: item["description"]
        for menu in manifest["bots"][0]["commandLists"]
        for item in menu["commands"]
        if item["title"] == "/zoom"
    }


def test_the_documentation_lists_it() -> None:
    specs = grammar(zoom(Effect.READS)).specs
    assert "| `/zoom in\\|out` | look closer, or from afar |" in commands_table(specs)
    assert "| `/zoom in\\|out` | at once: it only reads" in order_table(specs)
    assert "`watch`, `zoom` | the channel" in slash_table(specs)


def test_names_are_unique_and_every_command_is_explained_and_offered() -> None:
    assert len({spec.name for spec in GRAMMAR.specs}) == len(COMMANDS)
    for spec in GRAMMAR.specs:
        assert spec.summary
        assert spec.menu
        assert spec.rank


def test_every_declaration_is_registered() -> None:
    declared = [
        node.targets[0].id
        for path in (ROOT / "bot" / "commands").glob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == CommandDeclaration.__name__
        and isinstance(node.targets[0], ast.Name)
    ]
    assert sorted(declared) == sorted(command.spec.name.upper() for command in COMMANDS)
