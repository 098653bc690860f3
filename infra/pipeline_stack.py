"""The pipeline stack: the roles that the workflows of a GitHub repository assume by OpenID Connect (OIDC).

GitHub signs a token for each job, and AWS exchanges it for credentials of an hour, so that no key is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam

from infra.policies import deploy_policy, review_policy

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


class PipelineStack(Stack):
    """Creates a role that deploys from one environment of the repository, and one that compares templates."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        self._repository = str(settings.github_repository)
        # one account has one provider of an issuer, so its ARN is known
        self._provider = f"arn:aws:iam::{self.account}:oidc-provider/{ISSUER}"
        environment = f"environment:{settings.github_environment}"
        deploy = self._build_role("Deploy", environment, deploy_policy(self, settings))
        review = self._build_role("Review", "pull_request", review_policy(self, settings))
        if settings.github_oidc_provider == "create":
            self._build_provider(deploy, review)
        CfnOutput(self, "DeployRole", value=deploy.role_arn)
        CfnOutput(self, "ReviewRole", value=review.role_arn)

    def _build_role(self, id_: str, context: str, policy: list[iam.PolicyStatement]) -> iam.Role:
        subject = f"repo:{self._repository}:{context}"
        return iam.Role(
            self,
            id_,
            assumed_by=iam.WebIdentityPrincipal(
                self._provider, {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}}
            ),
            inline_policies={id_.lower(): iam.PolicyDocument(statements=policy)},
        )

    def _build_provider(self, *roles: iam.Role) -> None:
        provider = iam.CfnOIDCProvider(self, "Provider", url=f"https://{ISSUER}", client_id_list=[AUDIENCE])
        # other roles of the account may use it
        provider.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        for role in roles:
            role.node.add_dependency(provider)
