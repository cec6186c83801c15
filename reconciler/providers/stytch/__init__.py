"""The Stytch B2B API, through its backend door and through its session door."""
