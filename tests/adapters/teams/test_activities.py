"""Activities as messages."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapters.teams.activities import message_from
from adapters.teams.addresses import read_address
from bot.domain.messages import Attachment, Author, Message
from bot.domain.threads import Thread
from bot.errors import Reason
from tests.helpers.teams_endpoint import activity
from tests.payloads import payload

TENANT = "72f988bf-0000-4000-8000-0000000000aa"
BOT = {"id": "28:5f3c1d2e-0000-4000-8000-00000000b070", "name": "Test Bot"}
ALEX = "29:1AlexWilber-0000000000000000000000000000000000000000000000000"
ALEX_AAD = "9f1c0a00-0000-4000-8000-000000000020"
PERSONAL = "a:1PersonalChat-0000000000000000000000000000000000000000000000000"
GROUP = "19:0f0f0f0f00004000800000000000abcd@thread.v2"
CHANNEL = "19:General00000000000000000000000000000000000001@thread.tacv2"


def message_in(name: str, /, **changes: Any) -> Message:
    message = message_from(activity(name, **changes))
    assert message is not None
    return message


def picture(name: str) -> Attachment:
    url = payload(name)["attachments"][0]["contentUrl"]
    return Attachment("", "image/*", {"url": url, "credential": "bot"})


def test_a_picture_in_a_personal_chat() -> None:
    body = payload("teams_personal_image_text")
    assert message_in("teams_personal_image_text") == Message(
        id="8e905f0c-5ab2-45d9-9665-a4cd71026832",
        thread=Thread("msteams", TENANT, PERSONAL),
        author=Author(ALEX, "Alex Wilber"),
        text="what is in this picture?",
        attachments=(picture("teams_personal_image_text"),),
        address=read_address(
            {
                "service": body["serviceUrl"],
                "conversation": PERSONAL,
                "scope": "personal",
                "channel": "msteams",
                "bot": BOT,
                "user": {"id": ALEX, "name": "Alex Wilber", "aadObjectId": ALEX_AAD},
                "tenant": TENANT,
                "team": "",
                "activity": "8e905f0c-5ab2-45d9-9665-a4cd71026832",
                "locale": "en-US",
            }
        ),
        addressed=True,
        shared=False,
        opening=True,
        at=message_in("teams_personal_image_text").at,
    )


def test_the_time_is_that_of_sending() -> None:
    assert message_in("teams_personal_text", timestamp="2026-11-22T18:54:54.691Z").at == (
        pytest.approx(1795373694.691)
    )


def test_without_a_time_it_is_now() -> None:
    before = time.time()
    assert before <= message_in("teams_personal_text", timestamp=None).at <= time.time()


def test_a_picture_without_words() -> None:
    message = message_in("teams_personal_image_only")
    assert message.without_words
    assert message.attachments == (picture("teams_personal_image_only"),)


def test_a_mention_in_a_group_chat() -> None:
    message = message_in("teams_group_image")
    assert message.thread == Thread("msteams", TENANT, GROUP)
    assert (message.text, message.addressed, message.shared) == ("look at this", True, True)
    assert message.opening
    assert message.attachments == (picture("teams_group_image"),)
    assert message.address.scope == "groupChat"
    assert message.address.conversation == GROUP


def test_a_post_in_a_channel() -> None:
    message = message_in("teams_channel_post_image")
    assert message.thread == Thread("msteams", TENANT, CHANNEL, "1795375094933")
    assert (message.text, message.addressed, message.shared) == ("image in a new post", True, True)
    assert message.opening
    assert message.attachments == (picture("teams_channel_post_image"),)
    assert message.address.scope == "channel"
    assert message.address.team == CHANNEL
    assert message.address.conversation == f"{CHANNEL};messageid=1795375094933"


def test_a_reply_in_a_channel_is_in_the_same_thread() -> None:
    post, reply = message_in("teams_channel_post_image"), message_in("teams_channel_reply_image")
    assert reply.thread == post.thread
    assert not reply.opening
    assert reply.address.conversation == post.address.conversation


@pytest.mark.parametrize("root", ["1766459963017", "not-a-time", "9" * 400, "²"])
def test_a_post_opens_the_thread_that_bears_its_id(root: str) -> None:
    place = {**payload("teams_channel_post")["conversation"], "id": f"19:x;messageid={root}"}
    assert message_in("teams_channel_post", id=root, conversation=place).opening
    assert not message_in("teams_channel_post", id="1766459970384", conversation=place).opening


def test_a_post_without_a_thread_begins_one() -> None:
    place = {**payload("teams_channel_post")["conversation"], "id": "19:x"}
    message = message_in("teams_channel_post", id="17", conversation=place)
    assert (message.thread.conversation, message.thread.root, message.opening) == (
        "19:x",
        "17",
        True,
    )
    assert message.address.conversation == "19:x;messageid=17"


@pytest.mark.parametrize("name", ["teams_group_mention", "teams_channel_post"])
def test_a_post_without_the_mention_is_not_addressed(name: str) -> None:
    message = message_in(name, entities=[], text="just saying")
    assert (message.addressed, message.text) == (False, "just saying")


def test_a_post_that_mentions_somebody_else_is_not_addressed() -> None:
    entity = {
        "type": "mention",
        "mentioned": {"id": "29:other", "name": "Other"},
        "text": "<at>Other</at>",
    }
    message = message_in("teams_channel_post", entities=[entity], text="<at>Other</at> look")
    assert (message.addressed, message.text) == (False, "Other look")


def test_a_post_for_the_bot_alone_is_addressed() -> None:
    bot = {**payload("teams_group_mention")["recipient"], "isTargeted": True}
    assert message_in("teams_group_mention", entities=[], recipient=bot, text="/json").addressed


def test_a_personal_chat_needs_no_mention_whatever_it_is_called() -> None:
    assert message_in("teams_personal_text", conversation={"id": "a:1"}).addressed
    assert not message_in(
        "teams_personal_text", conversation={"id": "19:1", "isGroup": True}
    ).addressed


def test_a_file_in_a_personal_chat() -> None:
    [file] = message_in("teams_personal_file").attachments
    assert (file.name, file.declared, file.problem) == ("clip.mp4", "video/mp4", None)
    assert file.source["credential"] == "none"


def test_a_file_in_a_channel_with_an_address() -> None:
    [file] = message_in("teams_channel_post_file").attachments
    assert (file.name, file.problem) == ("clip.mp4", None)


@pytest.mark.parametrize(
    "name", ["teams_group_file_html_only", "teams_channel_reply_file_html_only"]
)
def test_a_file_that_only_the_html_names(name: str) -> None:
    assert message_in(name).attachments == (Attachment(problem=Reason.HTML_ONLY),)


@pytest.mark.parametrize("name", ["emulator_text", "webchat_text", "directline_text"])
def test_other_channels_are_served_plainly(name: str) -> None:
    message = message_in(name)
    body = payload(name)
    assert message.thread.channel == body["channelId"]
    assert message.thread.conversation == body["conversation"]["id"]
    assert (message.text, message.addressed, message.shared, message.opening) == (
        "image-url",
        True,
        False,
        True,
    )
    assert message.address.scope == ""


def test_a_group_on_another_channel_is_shared() -> None:
    assert message_in("webchat_text", conversation={"id": "x", "isGroup": True}).shared


def test_the_tenant_is_the_channels_then_the_conversations() -> None:
    place = {"id": "a:1", "conversationType": "personal", "tenantId": "theirs"}
    message = message_in(
        "teams_personal_text", conversation=place, channelData={"tenant": {"id": "t"}}
    )
    assert message.thread.tenant == "t"
    assert (
        message_in("teams_personal_text", conversation=place, channelData=None).thread.tenant
        == "theirs"
    )
    assert message_in("webchat_text").thread.tenant == ""


def test_equal_conversations_of_two_tenants_never_meet() -> None:
    one = message_in("teams_personal_text", channelData={"tenant": {"id": "one"}})
    two = message_in("teams_personal_text", channelData={"tenant": {"id": "two"}})
    assert one.thread.key != two.thread.key
    assert one.dedup != two.dedup


def test_a_pressed_button_is_its_command() -> None:
    message = message_in(
        "teams_channel_foreign_card_submit", value={"loupe": "/system continue", "n": 1}
    )
    assert (message.kind, message.text, message.addressed) == ("message", "/system continue", True)
    assert message.thread.root == "1795374389188"
    assert not message.opening


@pytest.mark.parametrize(
    "name", ["teams_channel_foreign_card_submit", "teams_personal_foreign_card_submit"]
)
def test_a_button_of_another_card_is_nothing(name: str) -> None:
    assert message_from(activity(name)) is None


@pytest.mark.parametrize(
    "action",
    [
        {"type": "Action.Execute", "verb": "x", "data": {"loupe": "/stop"}},
        {"type": "Action.Execute", "verb": "/stop"},
    ],
)
def test_an_executed_action_is_its_command(action: dict[str, Any]) -> None:
    message = message_in("teams_personal_card_action", value={"action": action})
    assert (message.kind, message.text, message.addressed) == ("message", "/stop", True)


@pytest.mark.parametrize("value", [None, [], {"action": []}, payload("teams_personal_card_action")])
def test_an_executed_action_of_another_card_is_nothing(value: Any) -> None:
    assert message_from(activity("teams_personal_card_action", value=value)) is None


def test_a_consent_is_work_of_the_channels_own() -> None:
    message = message_in("teams_personal_file_consent")
    assert message.kind == "channel"
    assert message.id == "f:773c793b-689d-4544-a55c-3a7299753dcc"
    assert message.address.invoke == payload("teams_personal_file_consent")["value"]


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("teams_personal_installation_add", "personal"),
        ("teams_channel_installation_add", "channel"),
    ],
)
def test_an_installation_says_hello(name: str, scope: str) -> None:
    message = message_in(name)
    assert (message.kind, message.addressed, message.address.scope) == ("installed", True, scope)
    assert message.thread.root == ""
    assert message.address.conversation == payload(name)["conversation"]["id"]


def test_another_channel_tells_of_members() -> None:
    assert message_in("webchat_members_added").kind == "installed"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("teams_personal_installation_add", {"action": "remove"}),
        ("teams_personal_installation_add", {"action": "add-upgrade"}),
        ("teams_personal_members_added", {}),
        ("teams_channel_members_added", {}),
        ("teams_channel_created", {}),
        ("webchat_members_added", {"membersAdded": [{"id": "user-id-0"}]}),
        ("webchat_members_added", {"recipient": None}),
        ("teams_personal_text", {"type": "messageUpdate"}),
        ("teams_personal_text", {"type": "messageDelete"}),
        ("teams_personal_text", {"type": "messageReaction"}),
        ("teams_personal_text", {"type": "typing"}),
        ("teams_personal_text", {"type": "event"}),
        ("teams_personal_card_action", {"name": "composeExtension/query"}),
        ("teams_personal_file_consent", {"value": "x"}),
    ],
)
def test_what_needs_no_answer(name: str, changes: dict[str, Any]) -> None:
    assert message_from(activity(name, **changes)) is None


def test_the_bots_own_posts_are_nothing() -> None:
    for sender in (payload("teams_personal_text")["recipient"], {"id": "x", "role": "bot"}):
        assert message_from(activity("teams_personal_text", **{"from": sender})) is None


def test_an_anonymous_sender_has_no_name() -> None:
    message = message_in("directline_text", recipient=None, **{"from": None})
    assert message.author == Author("", "")
    assert message.address.bot == {"id": "", "name": ""}


def test_names_are_one_short_line() -> None:
    sender = {"id": "29:x", "name": "Eve\x00\n\u202eAdmin" + "x" * 500}
    assert message_in("teams_personal_text", **{"from": sender}).author.name == (
        "Eve Admin" + "x" * 191
    )
