"""What each Lambda function is made of."""
