"""State machines of documents, written as data: one mapping from (state, action) to the next state."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from scm.core.errors import Conflict

State = TypeVar("State", bound=enum.Enum)


class IllegalTransition(Conflict):
    """A document is in a state from which the action is not allowed."""


@dataclass(frozen=True, kw_only=True)
class Machine(Generic[State]):
    """The allowed transitions of one kind of document. `kind` is also the `document_kind` of its rows elsewhere."""

    kind: str
    initial: State
    transitions: Mapping[tuple[State, str], State]

    def advance(self, state: State, action: str, *, number: str) -> State:
        """This function will give the state after `action`, or raise `IllegalTransition` saying what is possible."""
        following = self.transitions.get((state, action))
        if following is not None:
            return following
        allowed = sorted(possible for (source, possible) in self.transitions if source is state)
        sources = sorted(source.value for (source, possible) in self.transitions if possible == action)
        hint = f"but {_joined(allowed)} is" if allowed else "nothing more can happen to it"
        before = f"; {action} is possible when it is {_joined(sources)}" if sources else ""
        raise IllegalTransition(f"{number} is {state.value}: {action} is not possible, {hint}{before}")

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of all actions, sorted."""
        return tuple(sorted({action for (_, action) in self.transitions}))


def _joined(words: list[str]) -> str:
    return " or ".join(words)
