"""The REST API's own parts: who may call it, whether it is up, and what it offers."""
