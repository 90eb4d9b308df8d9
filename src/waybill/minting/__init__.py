"""The ID minter: one permanent public identifier per source record, whatever runs at the same time."""

WORKFLOW = "minting"
