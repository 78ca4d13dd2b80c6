from __future__ import annotations

from tests.functions.moto_batch import batch, batch_endpoint, waker, worker_environment

__all__ = ["batch", "batch_endpoint", "waker", "worker_environment"]
