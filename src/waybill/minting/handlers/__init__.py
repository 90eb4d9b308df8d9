"""One module per Lambda function of the ID minter."""
