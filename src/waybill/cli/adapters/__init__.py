"""What of the program knows AWS's library: the commands themselves call runtimes and domains."""
