"""The container task that drains the work queue: the only function that knows deepcolor."""
