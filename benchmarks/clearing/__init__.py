"""Clearing off chain: the same books for every engine, and a judge."""
