"""Typefaces of the report, as files beside this module."""
