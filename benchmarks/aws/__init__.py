"""What a stack is on AWS while nobody uses it, by its template."""
