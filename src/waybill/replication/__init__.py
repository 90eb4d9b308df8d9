"""Replication: every upload in every destination bucket, with proof, or a reason why not."""

WORKFLOW = "replication"
