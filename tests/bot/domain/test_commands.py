import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.registry import GRAMMAR
from bot.domain.commands import Command
from bot.strings import HELP_ENDS, command_misused, help_text, with_prefix

SPECS = {spec.name: spec for spec in GRAMMAR.specs}
parse = GRAMMAR.parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/help", Command(SPECS["help"])),
        ("/json", Command(SPECS["json"])),
        ("/json full", Command(SPECS["json"], "full")),
        ("/system", Command(SPECS["system"])),
        ("/system reset", Command(SPECS["system"], "reset")),
        ("/system continue", Command(SPECS["system"], "continue")),
        ("/system cancel", Command(SPECS["system"], "cancel")),
        ("/vision on", Command(SPECS["vision"], "on")),
        ("/vision", Command(SPECS["vision"])),
        ("/model", Command(SPECS["model"])),
        ("/model GPT-4o-Mini", Command(SPECS["model"], "GPT-4o-Mini")),
        ("/stop", Command(SPECS["stop"])),
        ("/reset", Command(SPECS["reset"])),
        ("/forget", Command(SPECS["forget"])),
        ("/photos", Command(SPECS["photos"])),
        ("/watch photos", Command(SPECS["watch"], "photos")),
        ("/watch all", Command(SPECS["watch"], "all")),
        ("/usage", Command(SPECS["usage"])),
    ],
)
def test_each_command_is_read(text: str, expected: Command) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["!json full", " /JSON Full ", "/json\n full", "\xa0/Json  FULL."])
def test_mark_case_and_spaces_do_not_matter(text: str) -> None:
    assert parse(text) == Command(SPECS["json"], "full")


def test_lines_belong_to_the_system_message() -> None:
    assert parse("/system\nYou are a PIRATE.\n\nSay arr.") == Command(
        SPECS["system"], "You are a PIRATE.\n\nSay arr."
    )


def test_a_system_message_may_begin_with_a_choice() -> None:
    assert parse("/system Reset every counter") == Command(SPECS["system"], "Reset every counter")


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ("/vision maybe", "/vision on|off"),
        ("/watch foo", "/watch photos|all|off"),
        ("/json everything", "/json [full]"),
        ("/reset the counter", "/reset"),
        ("/forget\nthe last one", "/forget"),
    ],
)
def test_a_wrong_argument_can_be_answered_with_the_usage(text: str, usage: str) -> None:
    command = parse(text)
    assert command is not None
    assert (command.valid, command.unknown, command.spec.usage) == (False, False, usage)
    assert not command.stops


@pytest.mark.parametrize("text", ["/stop", "!STOP!", "/stop it please"])
def test_a_stop_is_never_refused(text: str) -> None:
    assert parse(text) == Command(SPECS["stop"])


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("/jsn", "json"),
        ("/sytem You are kind.", "system"),
        ("!fotos", "photos"),
        ("/Visoin on", "vision"),
        ("/quux", "help"),
    ],
)
def test_an_unknown_command_gets_the_nearest(text: str, nearest: str) -> None:
    command = parse(text)
    assert command is not None
    assert (command.valid, command.unknown, command.spec.name) == (False, True, nearest)
    assert not command.stops
    assert not command.reads


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "!",
        "What does /json do?",
        "/ means division",
        "!!! look",
        "!?",
        "/etc/passwd is shown in this photo",
        "/tmp is full",
        "/2 of the cake",
        "/r/pics",
        "!important for the layout",
        "/json.dumps fails",
        "//comment",
    ],
)
def test_ordinary_text_is_no_command(text: str) -> None:
    assert parse(text) is None


def test_what_overtakes_and_what_stops() -> None:
    commands = [command for name in SPECS if (command := parse(f"!{name}"))]
    assert {c.name for c in commands if c.reads} == {"help", "json", "photos", "usage"}
    assert {c.name for c in commands if c.stops} == {"stop", "reset", "forget"}


@given(st.text())
def test_any_text_is_read_without_error(text: str) -> None:
    command = parse(text)
    assert command is None or command.spec.usage


@given(st.sampled_from(list(SPECS)), st.text())
def test_a_known_name_is_always_a_command(name: str, argument: str) -> None:
    command = parse(f"/{name} {argument}")
    assert command is not None
    assert command.name == name


def test_the_help_lists_every_command_as_it_is_written() -> None:
    shown = help_text(GRAMMAR.specs, "/", offline=False)
    assert all(f"`{spec.usage}`: {spec.summary}" in shown for spec in GRAMMAR.specs)
    assert len(help_text(GRAMMAR.specs, "/", offline=True)) > len(shown)


@pytest.mark.parametrize("prefix", HELP_ENDS)
def test_the_help_says_how_commands_are_written_where_it_is_read(prefix: str) -> None:
    shown = help_text(GRAMMAR.specs, prefix, offline=False)
    assert all(f"`{prefix}{spec.usage[1:]}`" in shown for spec in GRAMMAR.specs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Say /watch photos. /help shows more.", "Say !watch photos. !help shows more."),
        ("See `/json [full]`.", "See `!json [full]`."),
        ("Now:\n\n> say /help\n\nor /system", "Now:\n\n> say /help\n\nor !system"),
        ("1/2, and/or, https://x.test/y, a /2", "1/2, and/or, https://x.test/y, a /2"),
    ],
)
def test_commands_in_sentences_are_written_as_the_place_takes_them(text: str, told: str) -> None:
    assert with_prefix(text, "!") == told
    assert with_prefix(text, "/") == text


def test_a_misused_command_is_answered_with_what_to_write() -> None:
    answers = [command_misused(c) for text in ("/jsn", "/vision maybe") if (c := parse(text))]
    assert "`/json [full]`" in answers[0]
    assert "`/vision on|off`" in answers[1]
