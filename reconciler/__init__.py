"""OIDC connections as code: declare, plan, apply, watch for drift."""

__version__ = "0.1.0"
