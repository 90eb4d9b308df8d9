"""Where in a bucket is sensitive data? See README.md beside this file."""

WORKFLOW = "scanning"
