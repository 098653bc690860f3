"""The host stack: one EC2 instance that serves the API and runs the jobs; a change of it makes a new one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3_assets as assets

from infra import arns, user_data
from infra.backup_reader import build_backup_reader
from infra.host_alarms import add_host_alarms
from infra.names import JOURNAL_GROUPS, LogGroup, Reader, secrets_for
from infra.network import PUBLIC, HostNetwork
from infra.policies import host_policy
from infra.runtime_env import backup_settings, plain_settings, secret_ids
from infra.secrets_stack import next_command

if TYPE_CHECKING:
    from constructs import Construct

    from infra.release import Release
    from infra.settings import DeploymentSettings

DISK_GIB = 16
BOOT_TIMEOUT = Duration.minutes(20)


class HostStack(Stack):
    """Creates the network, the role, the instance and its Elastic IP address."""

    def __init__(
        self, scope: Construct, id_: str, *, settings: DeploymentSettings, release: Release, **stack: Any
    ) -> None:
        super().__init__(scope, id_, **stack)
        self._settings = settings
        self._asset = assets.Asset(self, "Release", path=str(release.path), asset_hash=release.sha256)
        self._network = HostNetwork(self, "Network", settings=settings)
        self.role = self._build_role()
        self._backup_reader = build_backup_reader(self, settings, self.role)
        self.instance = self._build_instance()
        facts = self._facts(release)
        resource = self.instance.instance.logical_id
        self.instance.user_data.add_commands(user_data.render({**facts, "resource": resource}))
        self.ipv6_address = self._assign_ipv6_address(facts) if settings.ipv6 else None
        self._address = self._build_address()
        self.record_target = route53.RecordTarget.from_ip_addresses(self._address)
        add_host_alarms(self, settings, self.instance.instance_id)
        self._build_outputs()

    def _build_outputs(self) -> None:
        # a deployed DNS stack imports these: without the exports, removing the zone would fail this update
        self.export_value(self._address)
        if self.ipv6_address is not None:
            assert isinstance(self._network.vpc, ec2.Vpc)  # noqa: S101  narrows the type for mypy
            self.export_string_list_value(self._network.vpc.vpc_ipv6_cidr_blocks)
        host = self._settings.api_host
        CfnOutput(self, "ApiUrl", value=f"https://{host}")
        CfnOutput(self, "InstanceId", value=self.instance.instance_id)
        if self._settings.hosted_zone_id is not None:
            return
        CfnOutput(self, "RecordToCreate", value=f"{host} A {self._address}")
        if self.ipv6_address is not None:
            CfnOutput(self, "Ipv6RecordToCreate", value=f"{host} AAAA {self.ipv6_address}")

    def _build_role(self) -> iam.Role:
        release = f"{arns.bucket_arn(self._asset.s3_bucket_name)}/{self._asset.s3_object_key}"
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={
                "host": iam.PolicyDocument(statements=host_policy(self, self._settings, release))
            },
        )

    def _build_instance(self) -> ec2.Instance:
        instance = ec2.Instance(
            self,
            "Host",
            vpc=self._network.vpc,
            vpc_subnets=PUBLIC,
            security_group=self._network.firewall,
            # its address during boot; the Elastic IP is associated after it signals success
            associate_public_ip_address=True,
            instance_type=ec2.InstanceType(self._settings.instance_type),
            machine_image=ec2.MachineImage.generic_linux(
                {self._settings.region: str(self._settings.host_image)},
                user_data=ec2.UserData.custom(user_data.FIRST_LINE),
            ),
            role=self.role,
            key_pair=self._key_pair(),
            http_tokens=ec2.HttpTokens.REQUIRED,
            http_put_response_hop_limit=1,
            block_devices=[self._root_disk()],
            # a new T instance has no credits: with `standard` it would boot at a fifth of its speed
            credit_specification=ec2.CpuCredits.UNLIMITED if self._settings.is_burstable else None,
            # `poweroff` stops the instance, so that it can be inspected
            instance_initiated_shutdown_behavior=ec2.InstanceInitiatedShutdownBehavior.STOP,
            disable_api_termination=False,
            user_data_causes_replacement=True,
            resource_signal_timeout=BOOT_TIMEOUT,
            propagate_tags_to_volume_on_creation=True,
        )
        # the zone is that of the subnet; that of a subnet of the user's is not known here
        instance.instance.add_property_deletion_override("AvailabilityZone")
        # when it boots, the instance needs the role's permissions, and checks its keys against the cluster
        instance.node.add_dependency(self.role)
        if self._network.cluster is not None:
            instance.node.add_dependency(self._network.cluster)
        return instance

    def _key_pair(self) -> ec2.IKeyPair | None:
        if self._settings.key_pair is None:
            return None
        return ec2.KeyPair.from_key_pair_name(self, "KeyPair", self._settings.key_pair)

    def _root_disk(self) -> ec2.BlockDevice:
        return ec2.BlockDevice(
            device_name="/dev/xvda",  # the root device of Debian's images
            volume=ec2.BlockDeviceVolume.ebs(
                DISK_GIB,
                volume_type=ec2.EbsDeviceVolumeType.GP3,
                encrypted=True,
                delete_on_termination=True,
            ),
        )

    def _facts(self, release: Release) -> dict[str, Any]:
        """Return the values in the user data, except the logical id, which is a digest of them."""
        storage = self._settings.storage
        return {
            "region": self._settings.region,
            "stack": self.stack_name,
            "bucket": self._asset.s3_bucket_name,
            "key": self._asset.s3_object_key,
            "sha256": release.sha256,
            "log_group": self._settings.named(LogGroup.BOOT),
            "log_groups": {name: self._settings.named(group) for name, group in JOURNAL_GROUPS.items()},
            "ship_logs": self._settings.ship_logs,
            "metric_namespace": self._settings.metric_namespace,
            "session_manager": self._settings.session_manager,
            "api_host": self._settings.api_host,
            "alarm_email": self._settings.alarm_email,
            "topic": arns.topic_arn(self, self._settings),
            "certificates_bucket": arns.certificates_bucket(self, self._settings),
            "environment": self._environment(),
            "secrets": {str(reader): secret_ids(self._settings, reader) for reader in self._readers()},
            **self._delivery(),
            "put_secrets": next_command(self._settings),
            "required_secrets": [
                self._settings.named(entry.name) for entry in secrets_for(storage) if entry.required
            ],
            "instance": self._properties_of_instance(),
        }

    def _environment(self) -> dict[str, str]:
        settings = self._settings
        return {**plain_settings(self, settings), **backup_settings(self, settings, self._backup_reader)}

    def _delivery(self) -> dict[str, Any]:
        """Return the fact of deliveries; nothing without them, which would replace every host."""
        uses_ses = self._settings.mail_identity is not None
        return {"delivery": {"ses": uses_ses}} if self._settings.delivers else {}

    def _readers(self) -> tuple[Reader, ...]:
        deliveries = (Reader.DELIVER,) if self._settings.delivers else ()
        return (Reader.API, Reader.JOBS, *deliveries)

    def _properties_of_instance(self) -> dict[str, Any]:
        """Return what CloudFormation would change in place, or replace under the same logical id.

        As a part of the user data it changes the logical id, so CloudFormation creates another instance and
        waits for its signal (a creation policy is for a resource that is created).
        """
        settings = self._settings
        return {
            "availability_zone": settings.availability_zone,
            "disk_gib": DISK_GIB,
            "generation": settings.host_generation,
            "image": settings.host_image,
            "ipv6": settings.ipv6,
            "key_pair": settings.key_pair,
            "privatelink": (settings.privatelink_service, settings.privatelink_domain),
            "subnet": settings.public_subnet_id,
            "type": settings.instance_type,
            "vpc": settings.vpc_id,
        }

    def _assign_ipv6_address(self, facts: dict[str, Any]) -> str:
        """Assign a fixed IPv6 address, because CloudFormation has no attribute for an automatic one.

        Its end is a digest of what replaces the instance, because the old and new one run at the same time.
        """
        script = json.dumps(self.resolve(user_data.render(facts)), sort_keys=True)
        digest = hashlib.sha256(script.encode()).hexdigest()
        subnet = self._network.vpc.public_subnets[0].node.default_child
        assert isinstance(subnet, ec2.CfnSubnet)  # noqa: S101  narrows the type for mypy
        prefix = Fn.select(0, Fn.split("::/64", str(subnet.ipv6_cidr_block)))
        address = f"{prefix}::{digest[:4]}:{digest[4:8]}"
        self.instance.instance.add_property_override(
            "NetworkInterfaces.0.Ipv6Addresses", [{"Ipv6Address": address}]
        )
        return address

    def _build_address(self) -> str:
        address = ec2.CfnEIP(self, "Address", domain="vpc")
        ec2.CfnEIPAssociation(
            self,
            "AddressOfHost",
            allocation_id=address.attr_allocation_id,
            instance_id=self.instance.instance_id,
        )
        return address.ref  # the Ref of an Elastic IP is the address
