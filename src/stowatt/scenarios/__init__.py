"""A community over a year of windows, and the ways in which it could share its batteries."""
