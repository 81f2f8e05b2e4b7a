"""How messages leave the system: mail or files for partners, webhooks for chat rooms. Never inside a transaction."""

from __future__ import annotations

from scm.core.errors import Unavailable


class DeliveryFailed(Unavailable):
    """A receiver could not be reached or did not take the message; `for_good` says that trying again is no use.

    The text names neither the receiver's full address nor any secret.
    """

    def __init__(self, text: str, *, for_good: bool = False) -> None:
        super().__init__(text)
        self.for_good = for_good
