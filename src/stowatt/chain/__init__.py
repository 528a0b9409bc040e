"""The only package that talks to a chain."""
