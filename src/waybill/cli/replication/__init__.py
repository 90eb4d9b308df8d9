"""The commands of replication; `commands` is all that the program imports before one of them runs."""
