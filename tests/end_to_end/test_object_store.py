from __future__ import annotations

import hashlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import moto.core.utils
import pytest
from botocore.exceptions import ClientError
from moto.sqs.models import SQSBackend

from benchmarks.local_store import await_reply
from infra.local.cloud import Cloud
from infra.local.object_store import is_kept, milliseconds_now
from infra.local.ports import HOST, free_port

DAY = 24 * 3600
BUCKET = "photographs"
PAGE = "http://127.0.0.1:8000"
THERE = f'"{hashlib.md5(b"there").hexdigest()}"'  # an etag


@dataclass
class Store:
    """The object store in a process of its own, as the stack starts it."""

    port: int
    log: Path
    server: subprocess.Popen[bytes]

    @property
    def s3(self) -> Any:
        return Cloud(f"http://{HOST}:{self.port}").s3()

    def connection(self) -> HTTPConnection:
        return HTTPConnection(HOST, self.port, timeout=30)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    port = free_port(None, near=9400)
    log = tmp_path_factory.mktemp("store") / "store.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-u", "-m", "infra.local.object_store", HOST, str(port), PAGE],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        await_reply(f"http://{HOST}:{port}/moto-api/")
        running = Store(port, log, server)
        running.s3.create_bucket(Bucket=BUCKET)
        yield running
    finally:
        server.terminate()
        server.wait()


def test_connections_stay_open(store: Store) -> None:
    connections = [store.connection() for _ in range(20)]
    for connection in connections * 2:
        connection.request("GET", f"/{BUCKET}")
        assert connection.getresponse().read()
        before = connection.sock
        assert before is not None, "the server hung up"
        connection.request("HEAD", f"/{BUCKET}")
        connection.getresponse().read()
        assert connection.sock is before
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("key", ["a b/é+ü.jpg", "100%/a%2Fb.jpg", "//twice//a?b=c.jpg", "字.jpg"])
def test_keys_come_as_they_were_sent(store: Store, key: str) -> None:
    store.s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    assert store.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
    assert key in [one["Key"] for one in store.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def test_metadata_keeps_its_names(store: Store) -> None:
    metadata = {"taken_by": "somebody", "taken-at": "home"}
    store.s3.put_object(Bucket=BUCKET, Key="named.jpg", Body=b"x", Metadata=metadata)
    assert store.s3.head_object(Bucket=BUCKET, Key="named.jpg")["Metadata"] == metadata


@pytest.fixture(params=["a program", "the page"])
def s3(request: pytest.FixtureRequest, store: Store) -> Any:
    """Asks by the shorter way to moto, or by its own."""
    return store.s3 if request.param == "a program" else page_of(store)


def page_of(store: Store) -> Any:
    """Asks as a browser does for the page."""
    client = store.s3
    client.meta.events.register(
        "before-sign.s3", lambda request, **_: request.headers.add_header("Origin", PAGE)
    )
    return client


def test_objects_are_put_and_asked_for_as_with_s3(s3: Any) -> None:
    one = {"Bucket": BUCKET, "Key": "one/of those.jpg"}
    s3.delete_object(**one)
    described = {"ContentType": "image/jpeg", "CacheControl": "no-cache", "Metadata": {"a": "b"}}
    etag = s3.put_object(**one, Body=b"0123456789", IfNoneMatch="*", **described)["ETag"]
    head, whole = s3.head_object(**one), s3.get_object(**one)
    assert whole["Body"].read() == b"0123456789"
    for reply in (head, whole):
        assert reply["ETag"] == etag
        assert reply["ContentLength"] == 10
        assert {name: reply[name] for name in described} == described
    part = s3.get_object(**one, Range="bytes=2-4")
    assert part["ContentRange"] == "bytes 2-4/10"
    assert part["Body"].read() == b"234"
    s3.copy_object(**one | {"Key": "copy.jpg"}, CopySource=one)
    assert s3.get_object(**one | {"Key": "copy.jpg"})["Body"].read() == b"0123456789"
    s3.put_object_tagging(**one, Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    assert s3.get_object_tagging(**one)["TagSet"] == [{"Key": "x", "Value": "y"}]
    s3.put_object(**one, Body=b"", IfMatch=etag)
    assert s3.get_object(**one)["ContentLength"] == 0
    assert s3.delete_object(**one)["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize(
    ("action", "options", "status", "code"),
    [
        ("get_object", {"Key": "none.jpg"}, 404, "NoSuchKey"),
        ("head_object", {"Key": "none.jpg"}, 404, "404"),
        ("get_object", {"Bucket": "nobodys-bucket"}, 404, "NoSuchBucket"),
        ("get_object", {"IfMatch": '"other"'}, 412, "PreconditionFailed"),
        ("get_object", {"IfNoneMatch": THERE}, 304, "304"),
        ("get_object", {"Range": "bytes=90-99"}, 416, "InvalidRange"),
        ("put_object", {"IfNoneMatch": "*"}, 412, "PreconditionFailed"),
        ("put_object", {"IfMatch": '"other"'}, 412, "PreconditionFailed"),
        ("put_object", {"Key": "none.jpg", "IfMatch": '"other"'}, 404, "NoSuchKey"),
    ],
)
def test_what_s3_refuses_is_refused(
    s3: Any, action: str, options: dict[str, str], status: int, code: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key="there.jpg", Body=b"there")
    with pytest.raises(ClientError) as caught:
        getattr(s3, action)(**{"Bucket": BUCKET, "Key": "there.jpg"} | options)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"]["Code"] == code


def test_pages_are_told_that_they_may_read_and_programs_need_not_be(store: Store) -> None:
    store.s3.put_object(Bucket=BUCKET, Key="there.jpg", Body=b"there")
    replies = [
        client.head_object(Bucket=BUCKET, Key="there.jpg")["ResponseMetadata"]["HTTPHeaders"]
        for client in (page_of(store), store.s3)
    ]
    assert ["access-control-allow-origin" in headers for headers in replies] == [True, False]


def test_a_body_may_come_in_chunks(store: Store) -> None:
    connection = store.connection()
    chunks = [b"one, ", b"two, ", b"x" * 100_000]
    connection.request("PUT", f"/{BUCKET}/chunks.jpg", body=iter(chunks), encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    got = store.s3.get_object(Bucket=BUCKET, Key="chunks.jpg")["Body"].read()
    assert got == b"".join(chunks)


def test_whoever_asks_for_leave_gets_it_and_then_the_answer(store: Store) -> None:
    head = f"PUT /{BUCKET}/leave.jpg HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 3\r\n"
    with socket.create_connection((HOST, store.port), timeout=10) as asking:
        asking.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert asking.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        asking.sendall(b"abc")
        assert asking.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert store.s3.get_object(Bucket=BUCKET, Key="leave.jpg")["Body"].read() == b"abc"


def test_what_nobody_read_of_a_body_is_no_request(store: Store) -> None:
    connection = store.connection()
    for _ in range(2):
        connection.request(
            "POST",
            f"/{BUCKET}",
            body=b"GET / HTTP/1.1\r\n\r\n" * 9000,
            headers={"Origin": "https://elsewhere.example"},  # which is refused unread
        )
        reply = connection.getresponse()
        assert reply.status == 403
        assert reply.read().startswith(b"This S3 ")
    connection.close()


@pytest.mark.parametrize("length", ["many", "-1", "1e3"])
def test_a_length_that_is_no_number_is_refused(store: Store, length: str) -> None:
    connection = store.connection()
    connection.putrequest("PUT", f"/{BUCKET}/long.jpg")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_who_hangs_up_within_an_upload_leaves_nothing_and_no_traceback(store: Store) -> None:
    for kind in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
        with socket.create_connection((HOST, store.port), timeout=10) as leaving:
            head = f"PUT /{BUCKET}/half.jpg HTTP/1.1\r\nHost: {HOST}\r\n{kind}\r\n\r\n"
            leaving.sendall(f"{head}3e8\r\nabc".encode())
            leaving.shutdown(socket.SHUT_WR)
            leaving.recv(1000)
    assert "half.jpg" not in str(store.s3.list_objects_v2(Bucket=BUCKET).get("Contents"))
    assert "Traceback" not in store.log.read_text()


def test_the_log_tells_what_was_asked_and_what_was_answered(store: Store) -> None:
    connection = store.connection()
    connection.request("GET", f"/{BUCKET}/nowhere.jpg?x=1")
    connection.getresponse().read()
    connection.close()
    lines = store.log.read_text().splitlines()
    assert f"GET /{BUCKET}/nowhere.jpg?x=1 404 NOT FOUND" in lines


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"Host": "localhost:9000"}, 200),
        ("GET", {"Origin": PAGE}, 200),
        ("OPTIONS", {"Origin": PAGE, "Access-Control-Request-Method": "GET"}, 200),
        ("GET", {"Origin": "https://elsewhere.example"}, 403),
        ("OPTIONS", {"Origin": "https://elsewhere.example"}, 403),
        ("POST", {"Origin": "http://127.0.0.1:8001"}, 403),
        ("GET", {"Origin": "null", "Sec-Fetch-Site": "same-site"}, 403),
        ("GET", {"Origin": "null"}, 403),
        ("GET", {"Host": "elsewhere.example:9000"}, 403),
        ("GET", {"Host": "127.0.0.1.elsewhere.example"}, 403),
    ],
)
@pytest.mark.parametrize("path", [f"/{BUCKET}", f"/{BUCKET}?list-type=2"])
def test_browsers_are_answered_for_the_page_alone(
    store: Store, path: str, method: str, headers: dict[str, str], status: int
) -> None:
    store.s3.put_object(Bucket=BUCKET, Key="private.jpg", Body=b"x")
    connection = store.connection()
    connection.request(method, path, body=b"x" if method == "POST" else None, headers=headers)
    reply = connection.getresponse()
    said = reply.read().decode()
    assert reply.status == status
    if status == 403:
        assert said.startswith("This S3 ")
        assert said.endswith(".")
        assert reply.headers["Access-Control-Allow-Origin"] is None
    connection.request("GET", f"/{BUCKET}")  # the connection is still of use
    assert b"private.jpg" in connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize(
    "path",
    [
        "/moto-api/recorder/start-recording",
        "/moto-api/reset",
        "/moto-api/data.json",
        "/latest/meta-data",
        "/moto-api//recorder/start-recording",
    ],
)
def test_motos_own_switches_are_out_of_reach(store: Store, path: str) -> None:
    """A picture's address is enough for a site to turn them: it names no origin."""
    for name, value in (("User-Agent", "a browser"), ("Sec-Fetch-Site", "cross-site")):
        connection = store.connection()
        connection.request("GET", path, headers={name: value})
        reply = connection.getresponse()
        assert reply.status == 403
        assert b"moto's own switches" in reply.read()
        connection.close()


def test_a_page_in_a_bucket_runs_no_script(store: Store) -> None:
    store.s3.put_object(
        Bucket=BUCKET, Key="page.html", Body=b"<script>1</script>", ContentType="text/html"
    )
    for path in (f"/{BUCKET}/page.html", f"/{BUCKET}", f"/{BUCKET}/nothing-there"):
        connection = store.connection()
        connection.request("GET", path)
        reply = connection.getresponse()
        reply.read()
        assert reply.headers["Content-Security-Policy"] == "sandbox"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        connection.close()


@pytest.mark.parametrize(("days", "told"), [(0, True), (1, True), (3, False)])
def test_messages_are_kept_for_as_long_as_moto_keeps_them(days: int, told: bool) -> None:
    backend = SQSBackend("us-east-1", "123456789012")
    backend.create_queue("work", None, MessageRetentionPeriod=2 * DAY)
    message = backend.send_message("work", "a photograph")
    assert message.sent_timestamp is not None
    message.sent_timestamp -= days * DAY * 1000
    assert is_kept(backend, "work", message) is told
    assert backend.is_message_valid_based_on_retention_period("work", message) is told


def test_it_is_as_late_as_moto_says() -> None:
    assert milliseconds_now() == pytest.approx(moto.core.utils.unix_time_millis(), abs=5000)


def test_many_may_knock_at_once(store: Store) -> None:
    """Also while it is busy: what the system has no room for would wait for seconds."""
    store.server.send_signal(signal.SIGSTOP)
    try:
        knocking = [socket.create_connection((HOST, store.port), timeout=0.5) for _ in range(100)]
    finally:
        store.server.send_signal(signal.SIGCONT)
    for one in knocking:
        one.close()
