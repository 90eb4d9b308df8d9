"""Functions that serve every workflow."""
