"""The Stytch B2B API: its backend API and its frontend (session) API."""
