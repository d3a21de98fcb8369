"""The inbox against a plain model of it, whatever happens in whichever order."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, multiple, rule

from adapters.redis.history import RedisHistory
from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot.domain.history import Turn
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.ports.mailbox import AnsweredTurn, Entry, Lease, LeaseLost, Receipt, Submission
from tests.helpers.fakes import FakeTime
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.ports.mailbox import Erase

LIMITS = limits_of(lease_seconds=10, burst_seconds=2, burst_max_seconds=5, max_waiting=4)
LANE = 3
THREADS = [
    thread
    for thread in (Thread("fake", "t", "c", str(number)) for number in range(100))
    if lane_of(thread.key) == LANE
][:2]
LETTERS: dict[str, dict[str, Any]] = {
    "photo": {"gathers": True},
    "words": {},
    "/model": {"joins": False},
    "/json": {"express": True, "joins": False},
    "/stop": {"express": True, "stops": True, "joins": False},
    "/reset": {"stops": True, "joins": False},
}
KINDS = st.sampled_from([*LETTERS, "photo", "photo"])


@dataclass
class Slip:
    """A letter that waits."""

    seq: int
    at: float
    letter: Submission
    before: int

    @property
    def deletes(self) -> bool:
        return self.letter.message.kind == "deleted"


@dataclass
class ThreadModel:
    """What a thread is at."""

    thread: Thread
    seq: int = 0
    generation: int = 0
    stop: int = 0
    gone: dict[str, int] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)


@dataclass
class Box:
    """A mailbox: a list of slips, and who works on its head until when."""

    name: str
    of: ThreadModel
    slips: list[Slip] = field(default_factory=list)
    due: float | None = None
    owner: str = ""
    attempts: int = 0
    last: int = 0
    open: bool = False
    answered: AnsweredTurn | None = None
    sends: set[tuple[int, int]] = field(default_factory=set)

    def run(self, now: float) -> tuple[list[Slip], float]:
        """The slips to answer as one turn, and the seconds to wait for more of them."""
        head, *rest = self.slips
        if not head.letter.gathers or head.seq < self.of.stop:
            return [head], 0
        run = [head]
        for slip in rest:
            same = slip.letter.message.author == head.letter.message.author
            if same and not slip.deletes:
                if slip.letter.gathers or slip.letter.joins:
                    run.append(slip)
                if not slip.letter.gathers:
                    return run, 0
        due = min(
            run[-1].at + LIMITS.messages.burst_seconds, head.at + LIMITS.messages.burst_max_seconds
        )
        return run, max(0, due - now)

    def count_ahead(self, seq: int) -> int | None:
        """How many are before a slip that will have an answer of its own."""
        places = [slip.seq for slip in self.slips]
        if seq not in places:
            return None
        place = places.index(seq)
        slip, author = self.slips[place], self.slips[place].letter.message.author
        same = [one for one in self.slips if one.letter.message.author == author]
        earlier = [one for one in same if one.seq < seq and not one.deletes]
        joining = slip.letter.gathers or slip.letter.joins
        worked_on = bool(self.owner) and same[0] is self.slips[0]
        if worked_on and seq <= self.last and (joining or place == 0):
            return None
        if not joining or not earlier or not earlier[-1].letter.gathers:
            return place
        late = worked_on and not self.open and earlier[-1].seq <= self.last
        return place if late or earlier[-1].seq < self.of.stop else None

    def withdrawn(self, slip: Slip) -> bool:
        """Whether its post was edited or deleted since, by something that is not done yet."""
        message = slip.letter.message
        return message.kind == "message" and self.of.gone.get(message.id, 0) > slip.seq

    def pop(self, seqs: set[int], now: float) -> None:
        done = {slip.letter.message.withdraws: slip.seq for slip in self.slips if slip.seq in seqs}
        for post, seq in done.items():
            if self.of.gone.get(post) == seq:
                del self.of.gone[post]
        self.slips = [slip for slip in self.slips if slip.seq not in seqs]
        self.sends = {(seq, number) for seq, number in self.sends if seq not in seqs}
        self.owner, self.attempts, self.answered = "", 0, None
        self.due = now if self.slips else None


class MailboxMachine(RuleBasedStateMachine):
    """Does the same to the mailbox and to the model; `leases` may be lost, as after a crash."""

    leases: Bundle[Lease] = Bundle("leases")
    accepted: Bundle[tuple[Submission, int]] = Bundle("accepted")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeTime(1_800_000_000.0)
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(time, "time", self.clock)
        self.runner = asyncio.Runner()
        redis: Any = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
        self.redis = redis
        self.mailbox = RedisMailbox(redis, LIMITS.messages, LIMITS.workers, LIMITS.retention)
        self.history = RedisHistory(redis, LIMITS.retention)
        models = [ThreadModel(thread) for thread in THREADS]
        self.boxes = {
            name: Box(name, model)
            for model in models
            for name in (model.thread.key, f"{model.thread.key}!")
        }
        self.letters = 0

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            self.do(self.redis.aclose())
            self.runner.close()
            self.patch.undo()

    def do(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(call)

    def holds(self, lease: Lease) -> bool:
        box = self.boxes[lease.mailbox_key]
        return (box.owner, box.of.generation) == (lease.token, lease.generation)

    def own(self, thread: Thread) -> Box:
        return self.boxes[thread.key]

    @rule(
        target=accepted,
        thread=st.sampled_from([*THREADS, THREADS[0]]),
        posts=st.lists(st.tuples(st.sampled_from("aab"), KINDS), min_size=1, max_size=3),
    )
    def accept(self, thread: Thread, posts: list[tuple[str, str]]) -> Any:
        found = (self.accepted_one(thread, author, kind) for author, kind in posts)
        return multiple(*filter(None, found))

    def accepted_one(self, thread: Thread, author: str, kind: str) -> tuple[Submission, int] | None:
        self.letters += 1
        message = Message(f"m{self.letters}", thread, Author(author), kind)
        letter = Submission(message, **LETTERS[kind])
        box = self.boxes[thread.key + "!" * letter.express]
        receipt = self.do(self.mailbox.accept(letter))
        if len(box.slips) >= LIMITS.messages.max_waiting and not letter.stops:
            assert receipt == Receipt("full")
            return None
        self.append(box, letter)
        assert receipt == Receipt("accepted", box.of.seq)
        return letter, box.of.seq

    @rule(known=accepted, deleted=st.booleans())
    def withdraw(self, known: tuple[Submission, int], deleted: bool) -> None:
        """Edit or delete what was posted, whether it waits, is answered, or is done."""
        self.letters += 1
        letter, _ = known
        version = f"v{self.letters}"
        message = replace(letter.message, version=version)
        if deleted:
            message = replace(message, id=version, kind="deleted", quoted=letter.message.id)
        joins = letter.joins and not deleted
        changed = Submission(message, gathers=letter.gathers and not deleted, joins=joins)
        box = self.own(message.thread)
        receipt = self.do(self.mailbox.accept(changed))
        if len(box.slips) >= LIMITS.messages.max_waiting and not deleted:
            assert receipt == Receipt("full")
            return
        self.append(box, changed)
        assert receipt == Receipt("accepted", box.of.seq)

    @rule(thread=st.sampled_from(THREADS))
    def late(self, thread: Thread) -> None:
        """Deliver a post after its edit, as a platform does that repeats what failed."""
        self.letters += 1
        post = Message(f"m{self.letters}", thread, Author("a"), "words")
        edit = Submission(replace(post, version="later"))
        box = self.own(thread)
        if len(box.slips) < LIMITS.messages.max_waiting:
            assert self.do(self.mailbox.accept(edit)).verdict == "accepted"
            self.append(box, edit)
            assert self.do(self.mailbox.accept(Submission(post))) == Receipt("duplicate")

    def append(self, box: Box, letter: Submission) -> None:
        own, now = self.own(box.of.thread), self.clock()
        box.of.seq += 1
        box.slips.append(Slip(box.of.seq, now, letter, len(own.slips)))
        box.due = now if box.due is None else box.due
        if letter.message.withdraws:
            box.of.gone[letter.message.withdraws] = box.of.seq
        if letter.stops:
            box.of.stop = box.of.seq
            if own.due is not None and not own.owner:
                own.due = now

    @rule(known=accepted)
    def repeat(self, known: tuple[Submission, int]) -> None:
        letter, seq = known
        assert self.do(self.mailbox.accept(letter)) == Receipt("duplicate", seq)

    @rule(seconds=st.sampled_from([0.25, 4, 11]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(target=leases)
    def take(self) -> Any:
        found = self.do(self.mailbox.take(LANE))
        waiting = [(box.due, box.name) for box in self.boxes.values() if box.due is not None]
        due, name = min(waiting, default=(None, ""))
        if due is None or due > self.clock():
            assert found == (None if due is None else due - self.clock())
            return multiple()
        box = self.boxes[name]
        box.owner, box.due = found.token, self.clock() + LIMITS.workers.lease_seconds
        box.attempts += 1
        self.compare(found, box)
        return found

    def compare(self, lease: Lease, box: Box) -> None:
        run, settle = box.run(self.clock())
        box.last, box.open = run[-1].seq, settle > 0
        assert (lease.mailbox_key, lease.generation, lease.stop) == (
            box.name,
            box.of.generation,
            box.of.stop,
        )
        assert (lease.attempt, lease.result) == (box.attempts, box.answered)
        assert lease.settle == pytest.approx(settle)
        assert list(lease.run) == [
            Entry(slip.seq, slip.at, slip.letter.message, slip.before, box.withdrawn(slip))
            for slip in run
        ]

    @rule(target=leases, lease=consumes(leases))
    def gather(self, lease: Lease) -> Any:
        found = self.do(self.mailbox.gather(lease))
        if not self.holds(lease):
            assert found is None
            return multiple()
        self.compare(found, self.boxes[lease.mailbox_key])
        return found

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        box = self.boxes[lease.mailbox_key]
        standing = self.do(self.mailbox.renew(lease))
        if self.holds(lease):
            box.due = self.clock() + LIMITS.workers.lease_seconds
            assert (standing.is_held, standing.stop) == (True, box.of.stop)
            gone = {slip.seq for slip in box.slips if slip.seq <= box.last and box.withdrawn(slip)}
            assert standing.withdrawn_places == gone
        else:
            assert not standing.is_held

    @rule(lease=leases)
    def answered(self, lease: Lease) -> None:
        result = self.result(lease)
        assert self.do(self.mailbox.store_result(lease, result)) == self.holds(lease)
        if self.holds(lease):
            self.boxes[lease.mailbox_key].answered = result

    def result(self, lease: Lease) -> AnsweredTurn:
        turn = Turn(str(lease.seq), 1.0, "Anna", "What is it?", f"{lease.token} says so.")
        return AnsweredTurn(turn, (turn.answer,))

    @rule(lease=leases, erase=st.sampled_from(["nothing", "history", "everything"]))
    def done(self, lease: Lease, erase: Erase) -> None:
        held, box = self.holds(lease), self.boxes[lease.mailbox_key]
        result = self.result(lease) if erase == "nothing" else None
        assert self.do(self.mailbox.complete(lease, result, erase)) == held
        if held and result:
            box.of.turns.append(result.turn)
        elif held:
            box.of.turns.clear()
            box.of.generation += 1
        if held:
            box.pop({entry.seq for entry in lease.run}, self.clock())
        assert list(self.do(self.history.past(box.of.thread)).turns) == box.of.turns

    @rule(lease=leases)
    def move_to_dead_letters(self, lease: Lease) -> None:
        held = self.holds(lease)
        assert self.do(self.mailbox.move_to_dead_letters(lease, "too many attempts")) == held
        if held:
            self.boxes[lease.mailbox_key].pop({entry.seq for entry in lease.run}, self.clock())

    @rule(lease=leases, delay=st.sampled_from([0, 3]), counts=st.booleans())
    def release(self, lease: Lease, delay: float, counts: bool) -> None:
        held, box = self.holds(lease), self.boxes[lease.mailbox_key]
        assert self.do(self.mailbox.release(lease, delay, counts=counts)) == held
        if held:
            box.owner, box.due = "", self.clock() + delay
            box.attempts -= not counts

    @rule(lease=leases, number=st.integers(0, 1))
    def claim(self, lease: Lease, number: int) -> None:
        box, key = self.boxes[lease.mailbox_key], (lease.seq, number)
        call = self.mailbox.claim(lease.mailbox_key, lease.seq, number, lease.token)
        if key not in box.sends and box.owner != lease.token:
            with pytest.raises(LeaseLost):
                self.do(call)
            return
        assert (self.do(call) is None) == (key not in box.sends)
        box.sends.add(key)

    @rule(known=accepted)
    def count_ahead(self, known: tuple[Submission, int]) -> None:
        letter, seq = known
        found = self.do(self.mailbox.count_ahead(letter.message, seq))
        assert found == self.own(letter.message.thread).count_ahead(seq)

    def drain(self) -> None:
        """Whatever happened, all that waits is handed out in order, and then nothing is left."""
        while any(box.slips for box in self.boxes.values()):
            self.wait(LIMITS.workers.lease_seconds + LIMITS.messages.burst_max_seconds)
            lease = self.take()
            assert self.do(self.mailbox.complete(lease))
            self.boxes[lease.mailbox_key].pop({entry.seq for entry in lease.run}, self.clock())
        kinds = ("ready", "slips", "mail", "lease", "sends")
        left = [key for key in self.do(self.redis.keys("*")) if key.split(":")[-1] in kinds]
        assert left + self.do(self.redis.keys("*:sends:*")) == []
        for state in self.do(self.redis.keys("*:state")):
            assert {*self.do(self.redis.hkeys(state))} <= {"gen", "seq", "stop"}


TestMailbox = MailboxMachine.TestCase
TestMailbox.settings = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
