"""What is measured of the consignment checks."""
