"""The schedules that invoke the jobs function, and the dead-letter queue of failed invocations."""

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
from infra.names import PRODUCT, construct_id

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_

    from infra.settings import DeploymentSettings

# job and schedule in UTC; the catch-up fetches days that a registry published late; it is before noon, since
# a level that is read until then still closes the day before. A job takes up to 14 minutes and fails while
# another one holds the database, so no two begin closer together
SCHEDULES = {
    # a run stops in time for Lambda's limit, and the next hour's reads what is left, until the day is whole
    "daily-refresh": ("daily_refresh", "cron(45 2-23 * * ? *)"),
    "weekly-refresh": ("weekly_refresh", "cron(0 6 ? * MON *)"),
    "catch-up": ("weekly_refresh", "cron(30 11 ? * MON-WED *)"),
    "monitor": ("monitor", "rate(1 hour)"),
}
# only with deliveries; the job itself decides which digests are due
DELIVERY_SCHEDULE = ("deliver", "cron(10 7-23 * * ? *)")
# only with backups, which take no lease: after each weekly refresh, and the drill each month after that
BACKUP_SCHEDULES = {
    "backup": ("backup", "cron(20 12 ? * MON-WED *)"),
    "restore-drill": ("restore_drill", "cron(20 13 1 * ? *)"),
}
# what failed is asked again four times a day, however often the job is started: 5 hours after the end of a
# run that began at minute 45 is before the run that begins 6 hours later
OPTIONS = {"daily_refresh": {"ask_again_after_hours": 5}}
RETRIES = 2
MAX_EVENT_AGE = Duration.hours(3)


def schedules_of(settings: DeploymentSettings) -> dict[str, tuple[str, str]]:
    """Return the job and the schedule of each schedule of a deployment, by name."""
    return {
        **SCHEDULES,
        **({"deliver": DELIVERY_SCHEDULE} if settings.delivers else {}),
        **(BACKUP_SCHEDULES if settings.backs_up else {}),
    }


class JobSchedules(Construct):
    """Invokes each job on its schedule, with retries and a dead-letter queue."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, function: lambda_.Function
    ) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        self._function = function
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=settings.named(DEAD_LETTERS),
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        # the schedules retry the invocation only; this retries a failed execution
        function.configure_async_invoke(
            retry_attempts=RETRIES,
            max_event_age=MAX_EVENT_AGE,
            on_failure=destinations.SqsDestination(self.dead_letters),
        )
        self._role = self._build_role()
        for name, (job, when) in schedules_of(settings).items():
            self._build_schedule(name, job, when)

    def _build_role(self) -> iam.Role:
        invoke = iam.PolicyStatement(
            sid="StartJobs", actions=["lambda:InvokeFunction"], resources=[self._function.function_arn]
        )
        keep = iam.PolicyStatement(
            sid="SendDeadLetters", actions=["sqs:SendMessage"], resources=[self.dead_letters.queue_arn]
        )
        # a schedule of another account must not assume the role
        own = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=own),
            inline_policies={"schedules": iam.PolicyDocument(statements=[invoke, keep])},
        )

    def _build_schedule(self, name: str, job: str, when: str) -> None:
        # CfnSchedule, because the Schedule construct also allows every version of the function
        scheduler.CfnSchedule(
            self,
            construct_id(name),
            name=self._settings.named(f"{PRODUCT}-{name}"),
            schedule_expression=when,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._function.function_arn,
                role_arn=self._role.role_arn,
                input=json.dumps({"job": job, **OPTIONS.get(job, {})}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=MAX_EVENT_AGE.to_seconds(), maximum_retry_attempts=RETRIES
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.dead_letters.queue_arn
                ),
            ),
        )
