"""What each workflow records, and which events its changes are: the only modules that know its attributes."""
