"""What is measured of the scanner."""
