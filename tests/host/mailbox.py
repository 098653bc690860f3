"""A queue that is subscribed to the alarm topic, in the place of a mail address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.host.world import World


class Mailbox:
    """The messages that were published to the topic since the mailbox was created."""

    def __init__(self, world: World, name: str) -> None:
        self._sqs = world.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        topic = world.deployment.facts["topic"]
        arn = attributes["Attributes"]["QueueArn"]
        world.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def received(self, unit: str) -> str:
        """Receive and delete all messages, and return the text of the one about this unit."""
        messages = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        bodies: list[dict[str, Any]] = [json.loads(message["Body"]) for message in messages]
        (text,) = [
            body["Message"] for body in bodies if body["Subject"] == f"community-metrics: {unit} failed"
        ]
        return str(text)
