"""Platform code that every workflow shares and that knows no workflow."""
