"""The workflows in a browser: pages that are rendered here, and say what the API says."""
