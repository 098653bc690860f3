"""Slack: an incoming webhook. It posts a message as often as it receives it.

So what may have arrived is not sent again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.delivery.target import Outgoing, outgoing_key
from community_metrics.delivery.web import post, require_taken
from community_metrics.digest.slack import slack_of
from community_metrics.errors import DeliveryUnknown, TerminalDeliveryError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from community_metrics.clock import Clock
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest

_TAKEN: Final = "ok"
_WORD: Final = re.compile(r"[a-z_]{2,40}")
_FIXES: Final = {
    "no_service": "the webhook was removed: create another one",
    "no_active_hooks": "the webhook was switched off: create another one",
    "invalid_token": "the webhook was removed: create another one",
    "channel_is_archived": "choose another channel, and create a webhook for it",
    "channel_not_found": "choose another channel, and create a webhook for it",
    "action_prohibited": "ask an administrator of the workspace to allow the webhook",
    "posting_to_general_channel_denied": "choose another channel, and create a webhook for it",
}


@dataclass(frozen=True, slots=True)
class Slack:
    """An incoming webhook of Slack; `variable` is the setting of its address."""

    url: SecretStr
    variable: str
    clock: Clock

    def rendered(self, digest: Digest, row: StoredDelivery) -> Outgoing:
        """Return the digest as blocks."""
        return Outgoing(slack_of(digest).encode(), outgoing_key(row))

    async def send(self, outgoing: Outgoing) -> None:
        """Post the blocks.

        Raises:
            DeliveryError: Slack did not take it, or the response was lost.
        """
        headers = {"content-type": "application/json; charset=utf-8"}
        reply = await post(self.url, outgoing.body, headers, variable=self.variable, clock=self.clock)
        word = "" if reply.text is None else reply.text.strip()
        if 400 <= reply.status < 500 and reply.status not in {408, 429} and _WORD.fullmatch(word):  # noqa: PLR2004  statuses
            fix = _FIXES.get(word, "see Slack's list of errors of incoming webhooks")
            raise TerminalDeliveryError(
                f"Slack returned {reply.status} {word}. Fix: {fix}; set {self.variable}"
            )
        require_taken(reply, variable=self.variable)
        if reply.text is None:
            raise DeliveryUnknown(f"the target returned {reply.status}, and the rest of its answer was lost")
        if word != _TAKEN:
            raise TerminalDeliveryError(
                f"the target returned {reply.status} without Slack's `ok`. Fix: set {self.variable} to the "
                "address of an incoming webhook"
            )
