"""The conversations that are held on every channel, and what has to come of them everywhere."""

from __future__ import annotations

import json
from typing import Any

from bot import strings as texts
from bot.domain.preferences import EffectiveSettings
from bot.errors import FileProblem, ModelReason, Reason
from bot.limits import FileLimits
from tests.helpers.behaviours import NEVER_SET, Behaviour, Step
from tests.helpers.conversation import File
from tests.helpers.scene_videos import scene_video
from tests.servers.openai import call_tools, say, tool_call_start

DEFAULT = "You are an AI assistant that helps people find information."
FRUIT, SHOP, BROKEN = File.of("fruits.jpg"), File.of("copy_centre.jpg"), File.of("broken.png")
ROAD, CLIP = File.of("motorway.jpg"), File("clip.mp4", scene_video())
DIGEST = "9c031d80a1c52da5eca790db896baffec6a7e52bf786cdb7bbfca5c7f880e6a1"
OUTLINE_CAR = json.dumps({"photo": "P1", "label": "car", "box": [50, 300, 550, 700]})
CORNERS = ((0.05005, 0.3003), (0.55055, 0.3003), (0.55055, 0.7007), (0.05005, 0.7007))
CAR_OUTLINE = {"number": 1, "photo": 1, "polygon": CORNERS, "label": "car"}
CAR_GROUNDING = {
    "number": 1,
    "text": "car",
    "offset": 11,
    "length": 3,
    "polygon": CORNERS,
    "photo": 1,
}


def turn(question: str, answer: str, *photos: int, **more: Any) -> dict[str, Any]:
    """A turn that was answered, in the fields that are not as they are by default."""
    pictures = {"photos": photos, "shown": photos} if photos else {}
    outcome = {"status": "answered", "deployment": "gpt-4o", "model": "gpt-4o", "finish": "stop"}
    usage = {"prompt": 1000, "completion": 20, "cached": 0}
    record = {"question": question, "answer": answer, **outcome, "usage": usage, **pictures, **more}
    return {name: value for name, value in record.items() if value}


NO_USAGE = {"prompt": 0, "completion": 0, "cached": 0}
"""What costs nothing, since it did not come to an end."""

LOOK_STEP = Step("What is this?", (FRUIT,), (say("A bowl of fruit."),))
LOOK_TURN = turn("What is this?", "A bowl of fruit.", 1)
LOOK_REQUEST = ("[P1 fruits.jpg]", "What is this?")

PHOTOS = (
    Behaviour(
        "a photo, a question, and a question that goes on from there",
        (LOOK_STEP, Step("How many apples?", answers=(say("Three apples."),))),
        told=("A bowl of fruit.", "Three apples."),
        turns=(LOOK_TURN, turn("How many apples?", "Three apples.")),
        asked=(LOOK_REQUEST, (*LOOK_REQUEST, "A bowl of fruit.", "How many apples?")),
    ),
    Behaviour(
        "two photos without words that are posted one after the other",
        (
            Step("", (FRUIT,), wait=False),
            Step("", (SHOP,), (say("Fruit, and a shop."),)),
        ),
        told=("Fruit, and a shop.",),
        turns=(turn("Describe these images", "Fruit, and a shop.", 1, 2),),
        asked=(("[P1 fruits.jpg]", "[P2 copy_centre.jpg]", "Describe these images"),),
    ),
    Behaviour(
        "a broken file beside a good one",
        (Step("Compare", (BROKEN, FRUIT), (say("There is one photo."),)),),
        told=(
            texts.file_problem("broken.png", 1, FileProblem(Reason.DAMAGED), FileLimits())
            + "\n\nThere is one photo.",
        ),
        turns=(turn("Compare", "There is one photo.", 1),),
        asked=(("[P1 fruits.jpg]", "Compare"),),
    ),
    Behaviour(
        "a picture in which the answer is outlined",
        (
            Step(
                "Where is the car?",
                (ROAD,),
                (call_tools(tool_call_start("outline", OUTLINE_CAR)), say("There is a car [1].")),
            ),
        ),
        told=("There is a car [1].",),
        turns=(
            turn(
                "Where is the car?",
                "There is a car [1].",
                1,
                usage={"prompt": 2000, "completion": 40, "cached": 0},
                outlines=(CAR_OUTLINE,),
                grounding=(CAR_GROUNDING,),
            ),
        ),
        asked=(
            ("[P1 motorway.jpg]", "Where is the car?"),
            (
                *("[P1 motorway.jpg]", "Where is the car?"),
                "Outlined as [1]. Write [1] right after the words that name it.",
            ),
        ),
        pictures=1,
    ),
    Behaviour(
        "a short video",
        (Step("When does it turn red?", (CLIP,), (say("It turns red at 0:01.0."),)),),
        told=("It turns red at 0:01.0.",),
        turns=(turn("When does it turn red?", "It turns red at 0:01.0.", videos=(1,)),),
        asked=(
            (
                "[V1 clip.mp4: video, 0:03.0 long, 320 x 240 pixels, 10 frames a second; "
                "no sound track; it changes most at 0:01.0, 0:02.0.]",
                *(f"[Frame at 0:0{at}.0 of V1]" for at in range(3)),
                "When does it turn red?",
            ),
        ),
        pictures=1,
    ),
    Behaviour(
        "an answer that the model's filter ends",
        (Step("Hello?", answers=(say(finish="content_filter"),)),),
        told=(texts.WHY_MODEL[ModelReason.FILTERED_ANSWER],),
        turns=(
            turn(
                *("Hello?", ""),
                status="failed",
                model="",
                finish="",
                usage=NO_USAGE,
                problem="filtered_answer",
                refusal="finish_reason content_filter",
            ),
        ),
        asked=(("Hello?",),),
    ),
)

COMMANDS = (
    Behaviour(
        "/photos and /usage",
        (LOOK_STEP, Step("/photos"), Step("/usage")),
        told=(
            "A bowl of fruit.",
            "- **P1** `fruits.jpg`: 512 × 480, JPEG, 80 KB, capture time not recorded; posted; "
            f"SHA-256 `{DIGEST[:16]}…`",
            "Used here so far:\n\n"
            "- gpt-4o: 1 answer, 1 picture, 1,000 tokens in (0 cached), 20 out",
        ),
        turns=(LOOK_TURN,),
        asked=(LOOK_REQUEST,),
    ),
    Behaviour(
        "/vision off and on again",
        (
            *(LOOK_STEP, Step("/vision off")),
            Step("And this?", (SHOP,), (say("A shop."),)),
            *(Step("/vision on"), Step("/vision")),
        ),
        told=(
            "A bowl of fruit.",
            texts.vision_set(False, "here"),
            "A shop.",
            texts.vision_set(True, "here"),
            texts.vision_shown(True),
        ),
        turns=(LOOK_TURN, turn("And this?", "A shop.", 2)),
        asked=(
            LOOK_REQUEST,
            (*LOOK_REQUEST, "A bowl of fruit.", "[P2 copy_centre.jpg]", "And this?"),
        ),
    ),
    Behaviour(
        "/model",
        (LOOK_STEP, Step("/model gpt-4o-mini"), Step("Hello", answers=(say("Good morning."),))),
        told=("A bowl of fruit.", texts.model_set("gpt-4o-mini", "here"), "Good morning."),
        turns=(
            LOOK_TURN,
            turn("Hello", "Good morning.", deployment="gpt-4o-mini", model="gpt-4o-mini"),
        ),
        asked=(LOOK_REQUEST, (*LOOK_REQUEST, "A bowl of fruit.", "Hello")),
    ),
    Behaviour(
        "a system message that is confirmed by its button",
        (
            *(LOOK_STEP, Step("/system Answer in one word."), Step(press="Continue")),
            Step("Hello", answers=(say("Hi."),)),
            Step("/system"),
        ),
        told=(
            "A bowl of fruit.",
            texts.system_confirm(DEFAULT, "Answer in one word.", "here"),
            texts.system_changed("here"),
            "Hi.",
            texts.system_shown(EffectiveSettings("Answer in one word.", "", True, "thread")),
        ),
        turns=(LOOK_TURN, turn("Hello", "Hi.")),
        asked=(LOOK_REQUEST, (*LOOK_REQUEST, "A bowl of fruit.", "Hello")),
        buttons=("Continue", "Cancel"),
    ),
    Behaviour(
        "/stop while an answer grows",
        (
            Step(
                "What is this?",
                (FRUIT,),
                (say("A red car. ", NEVER_SET, "Nobody reads this."),),
                until="A red car.",
            ),
            *(Step("/stop"), Step("Go on", answers=(say("It is parked."),))),
        ),
        told=(f"A red car.\n\n{texts.STOPPED_HERE}", texts.STOPPING, "It is parked."),
        turns=(
            turn(
                *("What is this?", "A red car.", 1),
                status="stopped",
                model="",
                finish="",
                usage=NO_USAGE,
            ),
            turn("Go on", "It is parked."),
        ),
        asked=(LOOK_REQUEST, (*LOOK_REQUEST, "A red car.", "Go on")),
    ),
    Behaviour(
        "/json",
        (LOOK_STEP, Step("/json")),
        told=(
            "A bowl of fruit.",
            "```json\n[\n"
            f'{{"role": "system", "content": ["{DEFAULT}"]}},\n'
            f'{{"role": "user", "content": [{{"image": "sha256:{DIGEST}", "name": "P1 fruits.jpg"}}'
            ', "What is this?"]},\n'
            '{"role": "assistant", "content": ["A bowl of fruit."]}\n]\n```',
        ),
        turns=(LOOK_TURN,),
        asked=(LOOK_REQUEST,),
    ),
    Behaviour(
        "/reset",
        (LOOK_STEP, Step("/reset"), Step("What was it?", answers=(say("I do not know."),))),
        told=("A bowl of fruit.", texts.history_reset(1), "I do not know."),
        turns=(turn("What was it?", "I do not know."),),
        asked=(LOOK_REQUEST, ("What was it?",)),
    ),
    Behaviour(
        "/forget",
        (
            *(LOOK_STEP, Step("/vision off"), Step("/forget"), Step("/photos"), Step("/vision")),
            Step("What was it?", answers=(say("I do not know."),)),
        ),
        told=(
            "A bowl of fruit.",
            texts.vision_set(False, "here"),
            texts.forget_receipt(1, 1, 0, 1),
            texts.NO_PHOTOS,
            texts.vision_shown(True),
            "I do not know.",
        ),
        turns=(turn("What was it?", "I do not know."),),
        asked=(LOOK_REQUEST, ("What was it?",)),
    ),
)
