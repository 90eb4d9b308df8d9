"""Consignment checks: whether a batch of files may be accepted."""

WORKFLOW = "consignments"
