"""Finds sensitive values in bytes: no AWS, no environment, no network."""
