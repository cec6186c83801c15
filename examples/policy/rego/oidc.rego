# Sample policies for conftest, or any other engine of Open Policy Agent:
#   conftest test --policy examples/policy/rego plan.json
package main

import rego.v1

# issuers that our customers are allowed to use
allowed_issuers := [`^https://[a-z0-9-]+\.okta\.com(/.*)?$`, `^https://login\.microsoftonline\.com/[0-9a-f-]+/v2\.0$`]

changes contains change if {
	some change in input.resource_changes
	change.type == "oidc_connection"
}

has_allowed_issuer(change) if {
	some pattern in allowed_issuers
	regex.match(pattern, change.change.after.issuer)
}

deny contains message if {
	some change in changes
	change.change.after.issuer
	not has_allowed_issuer(change)
	message := sprintf("%s: issuer %s is not allowed", [change.address, change.change.after.issuer])
}

deny contains message if {
	some change in changes
	change.change.actions == ["delete"]
	change.change.before.status == "active"
	message := sprintf("%s: active connections must be deleted manually", [change.address])
}

deny contains message if {
	input.complete == false
	message := "the plan is incomplete, so some changes cannot be checked"
}

warn contains message if {
	some change in changes
	change.change.actions == ["update"]
	change.change.before.attribute_mapping != change.change.after.attribute_mapping
	message := sprintf("%s: the attribute mapping changes, which can change group memberships", [change.address])
}
