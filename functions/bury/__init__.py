"""The Lambda function that accounts for messages nobody could work on."""
