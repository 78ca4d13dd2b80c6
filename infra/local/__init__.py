"""The whole pipeline on loopback, with no account and no Docker."""
