"""Errors of the commands themselves."""


class CommandError(Exception):
    """A command cannot do its work; the message is for people. Exit status 1."""
