"""Asking the services that hold data about people: section 7 of the contract with them (README, "Upstream")."""
