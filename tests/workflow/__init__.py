"""A package, so that what its tests share ends with the last of them: an embedded AWS takes its time while it waits."""
