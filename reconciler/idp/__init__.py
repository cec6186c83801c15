"""Asks customers' identity providers what they publish, within bounds, and checks it."""
