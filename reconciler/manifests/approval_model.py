"""The pydantic model of a file of approvals, the source of its validation and of its JSON Schema."""

from typing import Annotated, Required, TypeAlias

from pydantic import Field, with_config
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

from reconciler.manifests import text_patterns
from reconciler.manifests.field_types import STRICT, Text
from reconciler.manifests.organization_model import ExpiryDate
from reconciler.manifests.project_model import RuleName

ExactAddress: TypeAlias = Annotated[str, Field(pattern=text_patterns.ADDRESS)]
Fingerprint: TypeAlias = Annotated[str, Field(pattern=text_patterns.FINGERPRINT)]


@with_config(
    STRICT | {"json_schema_extra": {"oneOf": [{"required": ["rule", "address"]}, {"required": ["deletes"]}]}}
)
class ApprovalManifest(TypedDict, total=False):
    """An approval of a risk (rule and address), or of deletes beyond the limits."""

    rule: Annotated[
        RuleName,
        Field(
            description="The ID of the risk rule whose finding is approved.", examples=["issuer-host-change"]
        ),
    ]
    address: Annotated[
        ExactAddress,
        Field(
            description="The connection, as organization/connection. No globs.",
            examples=["acme/okta-workforce"],
        ),
    ]
    finding: Annotated[
        Fingerprint,
        Field(
            description="Approve only the finding with this fingerprint, which the plan shows.",
            examples=["3f9c0e5d1a7b42688f0d6c2b9e4a1357"],
        ),
    ]
    deletes: Annotated[
        int,
        Field(
            ge=1,
            description="Approve at most this many deletes beyond the limits, in each plan until the date.",
            examples=[12],
        ),
    ]
    reason: Required[
        Annotated[
            Text,
            Field(description="Why it is approved.", examples=["Acme moved to its own domain, CHG-1234"]),
        ]
    ]
    until: Required[
        Annotated[
            ExpiryDate,
            Field(
                description="The last day on which it counts (UTC), at most 180 days ahead.",
                examples=["2027-01-31"],
            ),
        ]
    ]


@with_config(STRICT)
class ApprovalsManifest(TypedDict, total=False):
    """Approvals of risks, and of deletes beyond the limits."""

    approvals: Required[Annotated[list[ApprovalManifest], Field(description="The approvals.")]]
