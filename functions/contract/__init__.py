"""What dispatch, colorize, bury and the page agree on: keys, records, the manifest, the work queue."""
