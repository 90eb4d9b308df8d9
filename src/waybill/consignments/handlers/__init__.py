"""One module per Lambda function of the consignment checks."""
