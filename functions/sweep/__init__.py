"""The Lambda function that looks once a minute whether work waits and nobody does it."""
