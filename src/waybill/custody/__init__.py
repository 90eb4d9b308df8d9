"""Custody: what happened to a file, over all workflows, with the proof."""

WORKFLOW = "custody"
