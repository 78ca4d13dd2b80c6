"""The page's API under one uvicorn worker: how many uploads a second it signs."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.local_store import await_reply, running_store
from benchmarks.measure import Section
from infra.local.ports import HOST, free_port

CLIENTS = 4
WISH = json.dumps(
    {
        "filename": "p.jpg",
        "content_type": "image/jpeg",
        "size": 123_456,
        "strategy": "colornet",
    }
)


def measure(quick: bool) -> Section:
    count = 20 if quick else 1000
    port = free_port(None, near=8300)
    with running_store() as store:
        uvicorn = [sys.executable, "-m", "uvicorn", "--factory", "web.app:create_app"]
        server = subprocess.Popen(
            [*uvicorn, "--host", HOST, "--port", str(port), "--no-access-log"],
            env=os.environ | store.environment | {"DEEPCOLOR_WEB_SECRET": "benchmark" * 4},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await_reply(f"http://{HOST}:{port}/health")
            _visit(port, 5)
            start = time.perf_counter()
            with ThreadPoolExecutor(CLIENTS) as pool:
                visits = pool.map(_visit, [port] * CLIENTS, [count // CLIENTS] * CLIENTS)
                spent = [milliseconds for visit in visits for milliseconds in visit]
            seconds = time.perf_counter() - start
        finally:
            server.terminate()
            server.wait()
    figures = {
        "clients": CLIENTS,
        "presigned_uploads_per_second": len(spent) / seconds,
        "median_milliseconds": statistics.median(spent),
        "p99_milliseconds": sorted(spent)[int(len(spent) * 0.99)],
    }
    return Section(figures)


def _visit(port: int, count: int) -> list[float]:
    """Milliseconds of each request for an upload, one after the other on one connection."""
    connection = http.client.HTTPConnection(HOST, port)
    spent = []
    for _ in range(count):
        start = time.perf_counter()
        connection.request("POST", "/api/images", WISH, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 201, reply.status
        spent.append((time.perf_counter() - start) * 1000)
    connection.close()
    return spent
