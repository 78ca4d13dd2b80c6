"""The Lambda function that turns uploads into work."""
