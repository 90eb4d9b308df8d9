"""Subject access: everything that is held about one person, as one PDF, on time."""

WORKFLOW = "subject-access"
