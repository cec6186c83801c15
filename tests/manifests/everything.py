"""One manifest with every key that there is."""

EVERYTHING = """\
# yaml-language-server: $schema=../schemas/organization.schema.json
organization: acme
organization_id: organization-live-1
prune: true
connections:
  okta-workforce:
    display_name: Acme Okta
    identity_provider: okta
    issuer: https://${var:tenant}.okta.com
    client_id: 0oa1b2c3d4
    client_secret: ${env:ACME_OKTA_CLIENT_SECRET}
    authorization_url: https://acme.okta.com/authorize?a=b
    token_url: https://acme.okta.com/token
    userinfo_url: http://localhost:8080/userinfo
    jwks_url: http://[::1]/keys
    custom_scopes: [openid, profile, email, groups]
    attribute_mapping: {groups: groups}
    connection_id: oidc-connection-live-1
    previous_display_names: [Acme SSO]
    state: present
    discovery: off
    secret_expires_on: 2027-03-31
    lifecycle:
      prevent_destroy: true
      ignore_changes: [display_name]
"""
