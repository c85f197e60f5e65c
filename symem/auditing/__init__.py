"""Somebody else's updates against those that were derived."""
