"""Fetches what customers' identity providers publish, within limits, and checks it."""
