"""The complete policy of each role. A change here changes what a stolen role can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.resolve import resolve, statements

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

SECRET = "arn:aws:secretsmanager:{region}:123456789012:secret:community-metrics/{name}-??????"
LOG = "arn:aws:logs:{region}:123456789012:log-group:/community-metrics/{name}:*"
DATA = "arn:aws:s3:::community-metrics-data-123456789012-eu-central-1"
PUT_METRICS = (
    ["cloudwatch:PutMetricData"],
    ["*"],
    {"StringEquals": {"cloudwatch:namespace": "CommunityMetrics"}},
)
LIST_DATA = (["s3:ListBucket"], [DATA], {"StringLike": {"s3:prefix": ["lancedb", "lancedb/*"]}})
OPEN_SESSIONS = [
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
]
WRITE_LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
PUSH = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]
WRITE_DATA = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]


def secrets(region: str, *names: str) -> tuple[list[str], list[str], None]:
    arns = sorted(SECRET.format(region=region, name=name) for name in names)
    return (["secretsmanager:GetSecretValue"], arns, None)


def logs(region: str, *names: str) -> tuple[list[str], list[str], None]:
    return (WRITE_LOGS, [LOG.format(region=region, name=name) for name in names], None)


def write_backups(region: str) -> tuple[list[str], list[str], None]:
    return (["s3:PutObject"], [f"arn:aws:s3:::community-metrics-bkup-123456789012-{region}/backups/*"], None)


def role_of(assembly: Assembly, stack: str, prefix: str) -> dict[str, Any]:
    resources = assembly.stacks[stack]["Resources"]
    (role,) = [
        resource
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role" and name.startswith(prefix)
    ]
    found: dict[str, Any] = role
    return found


def host_statements(region: str, release: str) -> dict[str, Any]:
    certificates = f"arn:aws:s3:::community-metrics-tls-123456789012-{region}/certificates/*"
    return {
        "ReadRelease": (["s3:GetObject"], [release], None),
        "StoreCertificates": (["s3:GetObject", "s3:PutObject"], [certificates], None),
        "ListCertificates": (
            ["s3:ListBucket"],
            [certificates.partition("/")[0]],
            {"StringLike": {"s3:prefix": ["certificates/*"]}},
        ),
        "WriteLogs": logs(region, "host/api", "host/boot", "host/jobs", "host/system"),
        "PutMetrics": PUT_METRICS,
        "Notify": (["sns:Publish"], [f"arn:aws:sns:{region}:123456789012:community-metrics-alarms"], None),
        "SignalBoot": (["cloudformation:SignalResource"], ["<this stack>"], None),
        "WriteBackups": write_backups(region),
    }


def release_of(assembly: Assembly, region: str) -> str:
    user_data = resolve(assembly.properties("AWS::EC2::Instance")["UserData"]["Fn::Base64"])
    key = user_data.split('"key": "')[1].split('"')[0]
    return f"arn:aws:s3:::cdk-hnb659fds-assets-123456789012-{region}/{key}"


def test_the_policy_of_the_host_with_a_cluster(smallest: Assembly) -> None:
    keys = ("lancedb-read-key", "lancedb-write-key", "lancedb-uri", "lancedb-endpoint")

    assert statements(role_of(smallest, "host", "Role")) == {
        **host_statements("us-east-1", release_of(smallest, "us-east-1")),
        "ReadSecrets": secrets("us-east-1", *keys, "github-token", "api-token-hashes"),
        "OpenSessions": (OPEN_SESSIONS, ["*"], None),
    }


def test_the_policy_of_the_host_with_a_bucket(fullest: Assembly) -> None:
    assert statements(role_of(fullest, "host", "Role")) == {
        **host_statements("eu-central-1", release_of(fullest, "eu-central-1")),
        "ReadSecrets": secrets("eu-central-1", "github-token", "api-token-hashes"),
        "UseData": (WRITE_DATA, [f"{DATA}/lancedb/*"], None),
        "ListData": LIST_DATA,
    }


def test_the_api_function_can_only_read(serverless: Assembly) -> None:
    keys = ("lancedb-read-key", "lancedb-uri", "lancedb-endpoint", "api-token-hashes")

    assert statements(role_of(serverless, "serverless", "ApiRole")) == {
        "ReadSecrets": secrets("us-east-1", *keys),
        "WriteLogs": logs("us-east-1", "lambda/api"),
    }


def test_the_jobs_function_can_write_the_database_and_publish_metrics(serverless: Assembly) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:community-metrics-dead-letters"

    assert statements(role_of(serverless, "serverless", "JobsRole")) == {
        "ReadSecrets": secrets(
            "us-east-1", "lancedb-write-key", "lancedb-uri", "lancedb-endpoint", "github-token"
        ),
        "WriteLogs": logs("us-east-1", "lambda/jobs"),
        "PutMetrics": PUT_METRICS,
        "SendDeadLetters": (["sqs:SendMessage"], [queue], None),
        "WriteBackups": write_backups("us-east-1"),
    }


@pytest.mark.parametrize(
    ("flavour", "stack", "prefix", "writer"),
    [
        ("smallest", "host", "BackupReader", "<Role.Arn>"),
        ("serverless", "serverless", "JobsBackupReader", "<JobsRole.Arn>"),
    ],
)
def test_backups_are_read_by_a_role_of_its_own_which_only_their_writer_can_assume(
    assemblies: dict[str, Assembly], flavour: str, stack: str, prefix: str, writer: str
) -> None:
    role = role_of(assemblies[flavour], stack, prefix)
    bucket = "arn:aws:s3:::community-metrics-bkup-123456789012-us-east-1"

    assert statements(role) == {
        "ReadBackups": (["s3:GetObject"], [f"{bucket}/backups/*"], None),
        "ListBackups": (["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": ["backups/*"]}}),
    }
    assert trust_of(role) == {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": writer}}


def test_no_role_can_delete_a_backup_or_read_what_it_writes(assembly: Assembly) -> None:
    rights = [
        {
            action
            for actions, resources, _ in statements(role).values()
            for action in actions
            if any("-bkup-" in resource for resource in resources)
        }
        for role in assembly.resources("AWS::IAM::Role")
    ]

    assert sorted(map(sorted, filter(None, rights))) == [["s3:GetObject", "s3:ListBucket"], ["s3:PutObject"]]


def test_backups_that_are_off_give_no_right_and_no_role(
    assemblies: dict[str, Assembly], smallest: Assembly
) -> None:
    (role,) = assemblies["backup-off"].resources("AWS::IAM::Role")
    on = statements(role_of(smallest, "host", "Role"))

    assert statements(role) == {sid: right for sid, right in on.items() if sid != "WriteBackups"}


SEND = ["ses:SendEmail", "ses:SendRawEmail"]


def test_a_host_that_delivers_can_read_that_secret_and_send_from_one_address(
    assemblies: dict[str, Assembly], fullest: Assembly
) -> None:
    region, found = "eu-central-1", statements(role_of(assemblies["host-delivery"], "host", "Role"))
    identity = f"arn:aws:ses:{region}:123456789012:identity/metrics@example.org"

    assert found == {
        **statements(role_of(fullest, "host", "Role")),
        "ReadRelease": found["ReadRelease"],
        "ReadSecrets": secrets(region, "github-token", "api-token-hashes", "delivery"),
        "SendMail": (SEND, [identity], {"StringEquals": {"ses:FromAddress": "metrics@example.org"}}),
    }


def test_the_jobs_function_that_delivers_can_send_from_any_address_of_one_domain(
    assemblies: dict[str, Assembly],
) -> None:
    region, plain = "us-east-1", assemblies["serverless-privatelink"]
    jobs = statements(role_of(assemblies["serverless-delivery"], "serverless", "JobsRole"))
    identity = f"arn:aws:ses:{region}:123456789012:identity/example.org"

    assert jobs == {
        **statements(role_of(plain, "serverless", "JobsRole")),
        "ReadSecrets": secrets(
            region, "lancedb-write-key", "lancedb-uri", "lancedb-endpoint", "github-token", "delivery"
        ),
        "SendMail": (SEND, [identity], {"StringLike": {"ses:FromAddress": "*@example.org"}}),
    }
    api = role_of(assemblies["serverless-delivery"], "serverless", "ApiRole")
    assert statements(api) == statements(role_of(plain, "serverless", "ApiRole"))


def test_deliveries_that_are_off_give_no_right(assemblies: dict[str, Assembly], smallest: Assembly) -> None:
    assert statements(role_of(assemblies["delivery-off"], "host", "Role")) == statements(
        role_of(smallest, "host", "Role")
    )


@pytest.mark.parametrize(
    ("prefix", "actions"), [("ApiRole", ["s3:GetObject"]), ("JobsRole", WRITE_DATA)], ids=["api", "jobs"]
)
def test_with_a_bucket_the_api_can_read_it_and_the_jobs_can_write_it(
    assemblies: dict[str, Assembly], prefix: str, actions: list[str]
) -> None:
    found = statements(role_of(assemblies["serverless-s3"], "serverless", prefix))

    assert found["UseData"] == (actions, [f"{DATA}/lancedb/*"], None)
    assert found["ListData"] == LIST_DATA


NETWORK = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


@pytest.mark.parametrize("flavour", ["serverless-in-a-vpc", "serverless-privatelink"])
@pytest.mark.parametrize(("prefix", "name"), [("ApiRole", "api"), ("JobsRole", "jobs")])
def test_in_a_vpc_lambda_can_connect_a_function_and_its_code_cannot(
    assemblies: dict[str, Assembly], flavour: str, prefix: str, name: str
) -> None:
    found = statements(role_of(assemblies[flavour], "serverless", prefix))
    outside = statements(role_of(assemblies["serverless"], "serverless", prefix))
    function = f"arn:aws:lambda:us-east-1:123456789012:function:community-metrics-{name}"

    assert found == {
        **outside,
        "UseNetwork": (NETWORK, ["*"], None),
        "DenyNetworkToCode": (NETWORK, ["*"], {"ArnEquals": {"lambda:SourceFunctionArn": function}}),
    }


@pytest.mark.parametrize("flavour", ["host-in-a-vpc", "host-privatelink"])
def test_the_policy_of_the_host_is_the_same_in_a_private_network(
    assemblies: dict[str, Assembly], smallest: Assembly, flavour: str
) -> None:
    role = role_of(assemblies[flavour], "host", "Role")

    assert statements(role) == statements(role_of(smallest, "host", "Role"))


def test_the_schedules_can_invoke_the_jobs_function_and_send_dead_letters(serverless: Assembly) -> None:
    role = role_of(serverless, "serverless", "SchedulesRole")

    assert statements(role) == {
        "StartJobs": (["lambda:InvokeFunction"], ["<JobsFunction.Arn>"], None),
        "SendDeadLetters": (["sqs:SendMessage"], ["<SchedulesDeadLetters.Arn>"], None),
    }
    (trust,) = resolve(role["Properties"]["AssumeRolePolicyDocument"])["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def trust_of(role: dict[str, Any]) -> dict[str, Any]:
    (trust,) = resolve(role["Properties"]["AssumeRolePolicyDocument"])["Statement"]
    found: dict[str, Any] = trust
    return found


@pytest.mark.parametrize(
    ("flavour", "prefix", "subject"),
    [
        ("fullest", "Deploy", "repo:lancedb/community-metrics:environment:production"),
        ("fullest", "Review", "repo:lancedb/community-metrics:pull_request"),
        ("pipeline", "Deploy", "repo:acme@1234/metrics@5678:environment:live"),
        ("pipeline", "Review", "repo:acme@1234/metrics@5678:pull_request"),
    ],
)
def test_the_pipeline_roles_trust_one_repository_and_one_environment_or_its_pull_requests(
    assemblies: dict[str, Assembly], flavour: str, prefix: str, subject: str
) -> None:
    # every repository on GitHub gets tokens of this issuer, so the subject is compared whole
    assert trust_of(role_of(assemblies[flavour], "pipeline", prefix)) == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {
            "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        },
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": subject,
            }
        },
    }


def test_the_deploy_role_can_use_the_roles_of_the_cdk_and_push_images(fullest: Assembly) -> None:
    roles = [
        f"arn:aws:iam::123456789012:role/cdk-hnb659fds-{purpose}-role-123456789012-{region}"
        for purpose in ("deploy", "file-publishing", "lookup")
        for region in ("eu-central-1", "us-east-1")
    ]
    found = statements(role_of(fullest, "pipeline", "Deploy"))

    assert sorted(found["UseBootstrapRoles"][1]) == roles
    assert {name: (actions, condition) for name, (actions, _, condition) in found.items()} == {
        "UseBootstrapRoles": (["sts:AssumeRole"], None),
        "LogInToRegistry": (["ecr:GetAuthorizationToken"], None),
        "PushImages": (PUSH, None),
    }
    assert found["PushImages"][1] == ["arn:aws:ecr:eu-central-1:123456789012:repository/community-metrics"]


def test_the_review_role_can_read_the_templates_of_our_stacks(fullest: Assembly) -> None:
    here = "arn:aws:cloudformation:eu-central-1:123456789012:stack/community-metrics"
    names = ("secrets", "storage", "monitoring", "host", "serverless", "dns", "pipeline")
    health = "arn:aws:cloudformation:us-east-1:123456789012:stack/community-metrics-health-eu-central-1/*"
    stacks = [*(f"{here}-{name}/*" for name in names), health]

    (found,) = statements(role_of(fullest, "pipeline", "Review")).items()
    assert found[0] == "ReadTemplates"
    assert (found[1][0], found[1][2]) == (
        ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
        None,
    )
    assert sorted(found[1][1]) == sorted(stacks)


def test_the_provider_is_created_and_retained_unless_the_account_has_one(
    assemblies: dict[str, Assembly],
) -> None:
    (provider,) = assemblies["fullest"].resources("AWS::IAM::OIDCProvider")

    assert provider["Properties"]["Url"] == "https://token.actions.githubusercontent.com"
    assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]
    assert provider["DeletionPolicy"] == "RetainExceptOnCreate"
    assert assemblies["pipeline"].resources("AWS::IAM::OIDCProvider") == []
    assert "pipeline" not in assemblies["smallest"].stacks


def test_there_are_no_other_roles_policies_or_managed_policies(assembly: Assembly) -> None:
    roles = assembly.resources("AWS::IAM::Role")

    assert len(roles) in {2, 4}
    assert not any("ManagedPolicyArns" in role["Properties"] for role in roles)
    assert not assembly.resources("AWS::IAM::Policy")
    assert not assembly.resources("AWS::IAM::ManagedPolicy")
    assert not assembly.resources("AWS::IAM::User")
