"""Slack's Web API as modules of ours see it: calls are noted, and answered as a test says."""

from __future__ import annotations

from typing import Any


class CallRecorder:
    """Notes calls; `answers` gives for a method what comes back, or what is raised, in turn."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, list[Any]] = {}
        self.brief: list[str] = []

    def then(self, method: str, *answers: Any) -> None:
        """Answer the next calls of a method so."""
        self.answers.setdefault(method, []).extend(answers)

    async def call(
        self,
        team: str,
        method: str,
        *,
        repeatable: bool = False,
        brief: bool = False,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Note a call."""
        assert team == "T1"
        arguments = {name: value for name, value in arguments.items() if value is not None}
        self.requests.append((method, arguments))
        if brief:
            self.brief.append(method)
        answers = self.answers.get(method)
        answer = answers.pop(0) if answers else {"ok": True, "ts": "7.0001"}
        if isinstance(answer, Exception):
            raise answer
        response: dict[str, Any] = answer
        return response

    @property
    def methods(self) -> list[str]:
        """The methods that were called, in order."""
        return [method for method, _ in self.requests]

    def of(self, method: str) -> list[dict[str, Any]]:
        """The arguments of the calls of a method."""
        return [arguments for name, arguments in self.requests if name == method]
