"""What starts the jobs function, and where an event goes that could not be handled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.arns import DEAD_LETTERS
from infra.names import PRODUCT

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

# job and clock, in UTC; the second refresh of a week finds what a late registry has published since
SCHEDULES = {
    "weekly-refresh": ("weekly_refresh", "cron(0 6 ? * MON *)"),
    "catch-up": ("weekly_refresh", "cron(0 18 ? * MON-WED *)"),
    "monitor": ("monitor", "rate(1 hour)"),
}
RETRIES = 2
GIVE_UP_AFTER = Duration.hours(3)


class Clock(Construct):
    """Starts each job at its time, tries again, and keeps what stayed undone."""

    def __init__(self, scope: Construct, id_: str, *, function: lambda_.Function) -> None:
        super().__init__(scope, id_)
        self._function = function
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=DEAD_LETTERS,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        # the clock only hands an event over; what the function then fails at is tried again here
        function.configure_async_invoke(
            retry_attempts=RETRIES,
            max_event_age=GIVE_UP_AFTER,
            on_failure=destinations.SqsDestination(self.dead_letters),
        )
        self._role = self._build_role()
        for name, (job, when) in SCHEDULES.items():
            self._build_schedule(name, job, when)

    def _build_role(self) -> iam.Role:
        invoke = iam.PolicyStatement(
            sid="StartJobs", actions=["lambda:InvokeFunction"], resources=[self._function.function_arn]
        )
        keep = iam.PolicyStatement(
            sid="KeepUndelivered", actions=["sqs:SendMessage"], resources=[self.dead_letters.queue_arn]
        )
        # another account's schedule must not borrow the role
        own = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=own),
            inline_policies={"clock": iam.PolicyDocument(statements=[invoke, keep])},
        )

    def _build_schedule(self, name: str, job: str, when: str) -> None:
        # CfnSchedule, since the Schedule construct would also allow every version of the function
        scheduler.CfnSchedule(
            self,
            "".join(word.capitalize() for word in name.split("-")),
            name=f"{PRODUCT}-{name}",
            schedule_expression=when,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._function.function_arn,
                role_arn=self._role.role_arn,
                input=json.dumps({"job": job}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=GIVE_UP_AFTER.to_seconds(), maximum_retry_attempts=RETRIES
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.dead_letters.queue_arn
                ),
            ),
        )
