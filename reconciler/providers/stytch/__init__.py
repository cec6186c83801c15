"""The Stytch B2B API, through its backend door and through its session door."""

from reconciler.providers.stytch.libraries import import_lean

import_lean("aiohttp")
