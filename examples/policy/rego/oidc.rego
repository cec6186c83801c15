# What no plan may do here, for conftest or any other engine of Open Policy Agent:
#   conftest test --policy examples/policy/rego plan.json
package main

import rego.v1

# the hosts that customers of ours may log in from
allowed_issuers := [`^https://[a-z0-9-]+\.okta\.com(/.*)?$`, `^https://login\.microsoftonline\.com/[0-9a-f-]+/v2\.0$`]

changes contains change if {
	some change in input.resource_changes
	change.type == "oidc_connection"
}

leads_to_a_known_issuer(change) if {
	some pattern in allowed_issuers
	regex.match(pattern, change.change.after.issuer)
}

deny contains message if {
	some change in changes
	change.change.after.issuer
	not leads_to_a_known_issuer(change)
	message := sprintf("%s: the issuer %s is none of ours", [change.address, change.change.after.issuer])
}

deny contains message if {
	some change in changes
	change.change.actions == ["delete"]
	change.change.before.status == "active"
	message := sprintf("%s: an active connection is only deleted by hand", [change.address])
}

deny contains message if {
	input.complete == false
	message := "the plan is incomplete: nothing can be said of what it leaves out"
}

warn contains message if {
	some change in changes
	change.change.actions == ["update"]
	change.change.before.attribute_mapping != change.change.after.attribute_mapping
	message := sprintf("%s: the attribute mapping changes, and with it who is in which group", [change.address])
}
