"""Commands of custody."""
