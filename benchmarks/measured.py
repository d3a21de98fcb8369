"""What was measured of one server under load, round by round."""

from __future__ import annotations

import itertools
import statistics
from dataclasses import dataclass, field

from benchmarks.figures import percentile
from benchmarks.load import Result
from benchmarks.watch import Seen


@dataclass(slots=True)
class Measured:
    """The results of all rounds, and what the server saw during each."""

    results: list[Result] = field(default_factory=list)
    usage: list[Seen] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second, the median of the rounds."""
        return statistics.median(result.rate for result in self.results)

    @property
    def cpu(self) -> float:
        """Seconds of the server's processor time for each answer."""
        answers = sum(len(result.durations) for result in self.results)
        return sum(usage.cpu for usage in self.usage) / answers

    def latency(self, share: float) -> float:
        """A percentile of the seconds to an answer, the median of the rounds."""
        return statistics.median(percentile(result.durations, share) for result in self.results)

    def stall(self, share: float) -> float:
        """A percentile of the seconds by which the event loop was late, over all rounds."""
        return percentile(itertools.chain(*(usage.stalls for usage in self.usage)), share)
