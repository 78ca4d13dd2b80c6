"""What dispatch, colorize, bury and the page agree on: keys, records, manifest, work."""
