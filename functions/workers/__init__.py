"""Waking workers: Batch jobs that drain the work queue, never more of them than the cap."""
