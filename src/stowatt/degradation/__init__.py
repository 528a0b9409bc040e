"""Wear of batteries: models of capacity loss, what a kWh costs the battery that gives it, and asks (28)-(29)."""
