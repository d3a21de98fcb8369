"""Conversations of several people in a channel, and what has to come of them everywhere."""

from __future__ import annotations

from bot import strings as texts
from tests.helpers.behaviour_cases import DEFAULT, FRUIT, LOOK_STEP, NO_USAGE, turn
from tests.helpers.behaviours import NEVER_SET, Behaviour, Step
from tests.servers.openai import say

MINI = {"deployment": "gpt-4o-mini", "model": "gpt-4o-mini"}
LOOK_TURN = turn("What is this?", "A bowl of fruit.", 1, author="Alex")
BY_ALEX, BY_ROBIN = "[Written by: Alex]\n", "[Written by: Robin]\n"
LOOK_REQUEST = ("[P1]", f"{BY_ALEX}What is this?")

SHARED = (
    Behaviour(
        "Loupe answers who mentions it, and reads nothing else",
        (
            Step("Nice weather", mention=False),
            Step("Look at this", (FRUIT,), mention=False, thread=1),
            Step("What is this?", (FRUIT,), (say("A bowl of fruit."),), thread=2),
        ),
        told=("A bowl of fruit.",),
        turns=(LOOK_TURN,),
        asked=(LOOK_REQUEST,),
        shared=True,
    ),
    Behaviour(
        "two people ask in one thread",
        (LOOK_STEP, Step("How many apples?", answers=(say("Three apples."),), by="Robin")),
        told=("A bowl of fruit.", "Three apples."),
        turns=(LOOK_TURN, turn("How many apples?", "Three apples.", author="Robin")),
        asked=(LOOK_REQUEST, (*LOOK_REQUEST, "A bowl of fruit.", f"{BY_ROBIN}How many apples?")),
        shared=True,
    ),
    Behaviour(
        "photos of a watched channel are looked at without a mention",
        (
            Step("/watch photos", by="Robin"),
            Step("", (FRUIT,), (say("Fruit."),), mention=False, thread=1),
            Step("Nice weather", mention=False, thread=2),
        ),
        told=(texts.watch_set("photos", "Robin"), f"Fruit.\n\n{texts.ASK_ON}"),
        turns=(turn("Describe this image", "Fruit.", 1, author="Alex"),),
        asked=(("[P1]", f"{BY_ALEX}Describe this image"),),
        shared=True,
    ),
    Behaviour(
        "a setting at the top holds for all threads, and one in a thread for that one",
        (
            Step("/model gpt-4o-mini"),
            Step("Hello", answers=(say("Hi."),), thread=1),
            Step("/model gpt-4o", thread=1),
            Step("And now?", answers=(say("Yes."),), thread=1),
            Step("Hello", answers=(say("Hi."),), thread=2),
        ),
        told=(
            texts.model_set("gpt-4o-mini", texts.IN_THIS_CHANNEL),
            "Hi.",
            texts.model_set("gpt-4o", texts.IN_THIS_THREAD),
            *("Yes.", "Hi."),
        ),
        turns=(
            turn("Hello", "Hi.", author="Alex", **MINI),
            turn("And now?", "Yes.", author="Alex"),
            turn("Hello", "Hi.", author="Alex", **MINI),
        ),
        asked=(
            (f"{BY_ALEX}Hello",),
            (f"{BY_ALEX}Hello", "Hi.", f"{BY_ALEX}And now?"),
            (f"{BY_ALEX}Hello",),
        ),
        shared=True,
    ),
    Behaviour(
        "only who proposed a system message confirms it",
        (
            *(LOOK_STEP, Step("/system Be brief.")),
            Step("/system continue", by="Robin"),
            Step("/system continue"),
        ),
        told=(
            "A bowl of fruit.",
            texts.system_confirm(DEFAULT, "Be brief.", texts.IN_THIS_THREAD),
            texts.NOTHING_PENDING,
            texts.system_changed(texts.IN_THIS_THREAD),
        ),
        turns=(LOOK_TURN,),
        asked=(LOOK_REQUEST,),
        buttons=("Continue", "Cancel"),
        shared=True,
    ),
    Behaviour(
        "anybody stops an answer",
        (
            Step("Hello", answers=(say("A red car. ", NEVER_SET),), until="A red car."),
            Step("/stop", by="Robin"),
        ),
        told=(f"A red car.\n\n{texts.STOPPED_HERE}", texts.STOPPING),
        turns=(
            turn(
                *("Hello", "A red car."),
                author="Alex",
                status="stopped",
                model="",
                finish="",
                usage=NO_USAGE,
            ),
        ),
        asked=((f"{BY_ALEX}Hello",),),
        shared=True,
    ),
)
