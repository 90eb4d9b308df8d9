"""Requests, cost, speed and memory of the replication workflow."""
