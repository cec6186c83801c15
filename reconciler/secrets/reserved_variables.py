"""The environment variables that no manifest can use: credentials of the tool and of what runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_PREFIXES: Final = ("STYTCH_", "RECONCILER_")
"""Every variable that begins like this belongs to the tool."""

RESERVED_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "reconciler": (
        "STYTCH_PROJECT_ID", "STYTCH_SECRET", "STYTCH_PUBLIC_TOKEN", "STYTCH_SESSION_TOKEN",
        "STYTCH_SESSION_JWT", "RECONCILER_WEBHOOK_SECRET",
    ),
    "GitHub": (
        "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_PAT",
        "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL",
    ),
    "GitLab": (
        "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN", "GITLAB_API_TOKEN", "CI_JOB_TOKEN", "CI_JOB_JWT",
        "CI_JOB_JWT_V1", "CI_JOB_JWT_V2", "CI_BUILD_TOKEN", "CI_REPOSITORY_URL", "CI_REGISTRY_PASSWORD",
        "CI_DEPLOY_PASSWORD", "CI_DEPENDENCY_PROXY_PASSWORD",
    ),
    "Azure Pipelines": (
        "SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT", "VSS_NUGET_ACCESSTOKEN",
        "VSS_NUGET_EXTERNAL_FEED_ENDPOINTS",
    ),
    "CircleCI": ("CIRCLE_TOKEN", "CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"),
    "Buildkite": (
        "BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_AGENT_TOKEN", "BUILDKITE_AGENT_JOB_API_TOKEN",
        "BUILDKITE_API_TOKEN", "BUILDKITE_ANALYTICS_TOKEN",
    ),
    "Bitbucket": (
        "BITBUCKET_STEP_OIDC_TOKEN", "BITBUCKET_TOKEN", "BITBUCKET_ACCESS_TOKEN", "BITBUCKET_APP_PASSWORD",
    ),
    "Jenkins": ("JENKINS_TOKEN", "JENKINS_API_TOKEN", "JENKINS_SECRET", "JENKINS_AGENT_SECRET"),
    "Drone, Travis CI, Terraform": ("DRONE_TOKEN", "DRONE_NETRC_PASSWORD", "TRAVIS_TOKEN", "TFE_TOKEN"),
    "Vault": (
        "VAULT_TOKEN", "VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_JWT", "VAULT_CLIENT_KEY", "BAO_TOKEN",
    ),
    "age": ("AGE_IDENTITY", "AGE_KEY", "SOPS_AGE_KEY"),
    "AWS": (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ),
    "Google Cloud": (
        "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN",
        "CLOUDSDK_AUTH_ACCESS_TOKEN",
    ),
    "Azure": (
        "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "AZURE_CREDENTIALS",
        "AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING", "ARM_CLIENT_SECRET",
        "ARM_CLIENT_CERTIFICATE_PASSWORD", "ARM_ACCESS_KEY", "ARM_SAS_TOKEN", "ARM_OIDC_TOKEN",
        "ARM_OIDC_REQUEST_TOKEN", "IDENTITY_HEADER", "MSI_SECRET",
    ),
    "package registries": (
        "NPM_TOKEN", "NODE_AUTH_TOKEN", "TWINE_PASSWORD", "PYPI_TOKEN", "UV_PUBLISH_TOKEN",
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "DOCKER_PASSWORD", "DOCKER_AUTH_CONFIG",
    ),
    "proxies": ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
}  # fmt: skip
"""The variables by their owner; the page about references shows this table."""

OWN_VARIABLES: Final = frozenset(name for names in RESERVED_VARIABLES.values() for name in names)
