"""One module per Lambda function of custody."""
