"""What is measured of custody."""
