"""Deploying on AWS in one command, and removing it again."""
