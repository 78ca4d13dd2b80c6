"""Breaks the pipeline on purpose: every upload must end, once, as a result or as a failure record.

``CHAOS_PHOTOGRAPHS`` says how many photographs, ``CHAOS_SEED`` which run; ``make chaos`` is the
large one.
"""

from __future__ import annotations

import io
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from functions.contract.records import Record, Records, Status
from infra.local.cloud import RESULTS_BUCKET, UPLOADS_BUCKET
from tests.chaos import perilous
from tests.chaos.plan import (
    BURIER_POINTS,
    DISPATCHER_POINTS,
    MEDDLING_POINTS,
    WORKER_POINTS,
    WORKERS,
    Kill,
    Plan,
)
from tests.chaos.stack import Stack

PHOTOGRAPHS = int(os.environ.get("CHAOS_PHOTOGRAPHS", "60"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
CALM_SECONDS = 300
CHAOS_SECONDS = 300 + 3 * PHOTOGRAPHS
MOST_GIVEN_UP = 0.1
LATEST_KILL = 0.5  # of the run: later, too few photographs might come to the point

pytestmark = [
    pytest.mark.timeout(2 * CALM_SECONDS + CHAOS_SECONDS),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads Linux's /proc"),
]


@dataclass(frozen=True)
class Upload:
    """One object to upload. ``codes`` are the failures it may end in; with none it must be done."""

    key: str
    content: bytes
    metadata: dict[str, str]
    codes: frozenset[str] = frozenset()
    becomes: bytes | None = None  # by what it is overwritten
    is_deleted: bool = False


@dataclass
class Run:
    """A chaos run and its end state."""

    plan: Plan
    uploads: list[Upload]
    calm: dict[tuple[str, str], np.ndarray]
    records: dict[str, Record]
    results: dict[str, dict[str, Any]]
    left: dict[str, str]  # the etags of the uploads that are there at the end
    keys_of_records: set[str]
    stack: Stack
    exit_codes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(
            record.error["code"] if record.error else "done" for record in self.records.values()
        )


def small(path: Path, kind: str, turned: int = 0) -> bytes:
    file = io.BytesIO()
    with Image.open(path) as image:
        image.convert("L").resize((96, 64)).rotate(turned).save(file, kind)
    return file.getvalue()


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


PERILS = {
    "exit": (perilous.EXIT, "crashed"),
    "segfault": (perilous.SEGFAULT, "crashed"),
    "hang": (perilous.HANG, "took_too_long"),
    "memory": (perilous.HOG, "out_of_memory"),
    "bug": (perilous.GPU_BUG, "gave_up"),
    "gpu": (perilous.OUT_OF_MEMORY, "out_of_memory"),
}


def hazards(content: bytes) -> Iterator[Upload]:
    """One of each kind that must fail, and why."""
    for name, (peril, code) in PERILS.items():
        metadata = {"strategy": "perilous", "peril": str(peril)}
        yield Upload(f"hazard/{name}.jpg", content, metadata, frozenset({code}))
    light = {"strategy": "perilous"}
    file = io.BytesIO()
    Image.open(io.BytesIO(content)).save(file, "BMP")
    fatal = file.getvalue() + perilous.FATAL
    yield Upload("hazard/decoder.bmp", fatal, light, frozenset({"crashed"}))
    yield Upload("hazard/letter.jpg", b"Dear grandmother,", light, frozenset({"not_a_photograph"}))
    half = content[: len(content) // 2]
    yield Upload("hazard/half.jpg", half, light, frozenset({"damaged_photograph"}))
    yield Upload("hazard/empty.jpg", b"", light, frozenset({"not_a_photograph"}))
    unknown = {"strategy": "colorwheel"}
    yield Upload("hazard/unknown.jpg", content, unknown, frozenset({"unknown_strategy"}))
    full_disk = {"strategy": "sealed"}
    yield Upload("hazard/disk.jpg", content, full_disk, frozenset({"weights_missing"}))
    turned_too_far = light | {"saturation": "7"}
    yield Upload("hazard/knob.jpg", content, turned_too_far, frozenset({"knob_out_of_range"}))
    yield Upload("records/mine.jpg", content, light, frozenset({"reserved_key"}))


def uploads_of(chance: random.Random, pictures: list[Path]) -> list[Upload]:
    light = [small(path, kind) for path in pictures for kind in ("JPEG", "PNG")]
    heavy = [small(path, "WEBP") for path in pictures[:3]]
    others = [small(path, "JPEG", turned=180) for path in pictures[:3]]
    uploads = list(hazards(light[0]))
    for i in range(PHOTOGRAPHS - len(uploads)):
        kind = chance.choices(
            ["light", "heavy", "slow", "overwritten", "deleted"], [60, 15, 7, 9, 9]
        )[0]
        metadata = {"strategy": "perilous"}
        content = chance.choice(light)
        if kind == "heavy":
            metadata, content = {"strategy": "colornet", "size": "64"}, chance.choice(heavy)
        if kind == "slow":
            metadata |= {"seconds": "3"}
        uploads.append(
            Upload(
                f"{kind}/{i}.photo",
                content,
                metadata,
                frozenset({"upload_gone"}) if kind == "deleted" else frozenset(),
                chance.choice(others) if kind == "overwritten" else None,
                kind == "deleted",
            )
        )
    chance.shuffle(uploads)
    return uploads


def put(stack: Stack, key: str, content: bytes, metadata: dict[str, str]) -> None:
    stack.cloud.s3().put_object(Bucket=UPLOADS_BUCKET, Key=key, Body=content, Metadata=metadata)


def calm_results(stack: Stack, uploads: list[Upload]) -> dict[tuple[str, str], np.ndarray]:
    """Results of every content by source etag and strategy, while nothing goes wrong."""
    records = Records(stack.cloud.s3(), RESULTS_BUCKET)
    wanted = {}
    for upload in uploads:
        if not upload.key.startswith("hazard/"):
            for content in {upload.content, upload.becomes or upload.content}:
                wanted[content, upload.metadata["strategy"]] = upload.metadata
    keys = []
    for i, ((content, _), metadata) in enumerate(wanted.items()):
        keys.append(f"calm/{i}.photo")
        put(stack, keys[-1], content, {k: v for k, v in metadata.items() if k != "seconds"})

    def are_over() -> bool:
        found = [records.get(key) for key in keys]
        return all(record is not None and record.status.is_final for record in found)

    stack.wait_for(are_over, "the calm results", CALM_SECONDS)
    calm = {}
    for key in keys:
        record = records.get(key)
        assert record is not None
        assert record.status is Status.DONE, record.error
        result = stack.cloud.s3().get_object(Bucket=RESULTS_BUCKET, Key=key)
        calm[record.source.etag, record.strategy] = pixels(result["Body"].read())
    return calm


def kills_of(chance: random.Random) -> list[Kill]:
    """One at every point at least, spread over the run; more of the workers' in a longer one."""
    points = [("worker", point, "kill") for point in WORKER_POINTS]
    points += [("dispatcher", point, "kill") for point in DISPATCHER_POINTS]
    points += [("worker", ("coloring", "after"), how) for how in ("painter", "terminate")]
    for _ in range(PHOTOGRAPHS // 20):
        how = chance.choices(["kill", "terminate", "painter"], [6, 1, 1])[0]
        point = ("coloring", "after") if how == "painter" else chance.choice(WORKER_POINTS)
        points.append(("worker", point, how))
    for _ in range(PHOTOGRAPHS // 60):
        points.append(("dispatcher", chance.choice(DISPATCHER_POINTS), "kill"))
    chance.shuffle(points)
    # Those amid coloring first: near the end too few photographs may still come to that.
    points.sort(key=lambda planned: planned[1] != ("coloring", "after"))
    spread = LATEST_KILL * PHOTOGRAPHS / len(points)
    kills = [Kill(kind, point, how, int(i * spread)) for i, (kind, point, how) in enumerate(points)]
    return kills + [Kill("burier", point, "kill", 0) for point in BURIER_POINTS]


def listing(stack: Stack, bucket: str) -> dict[str, str]:
    pages = stack.cloud.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", [])}


def go_wrong(stack: Stack, uploads: list[Upload], chance: random.Random) -> None:
    """Uploads everything, with more events than there are, while the plan is at work."""
    plan = stack.plan
    for upload in uploads:
        if upload.becomes is not None or upload.is_deleted:

            def change(upload: Upload = upload) -> None:
                if upload.becomes is not None:
                    put(stack, upload.key, upload.becomes, upload.metadata)
                else:
                    stack.cloud.s3().delete_object(Bucket=UPLOADS_BUCKET, Key=upload.key)

            plan.meddle[upload.key] = (chance.choice(MEDDLING_POINTS), change)
    plan.kills = kills_of(chance)
    for kill in plan.kills:
        kill.not_before += plan.progress_of(kill.kind)
    plan.is_armed = True
    for upload in uploads:
        put(stack, upload.key, upload.content, upload.metadata)
        stack.revive()
    records = Records(stack.cloud.s3(), RESULTS_BUCKET)
    waiting = {upload.key for upload in uploads}

    def are_over() -> bool:
        there = listing(stack, UPLOADS_BUCKET)
        for key in list(waiting):
            record = records.get(key)
            is_over = record.status.is_final if record else key not in there
            if is_over and key not in plan.meddle:
                waiting.discard(key)
        return not waiting and stack.depth() == 0

    try:
        stack.wait_for(are_over, "the end", CHAOS_SECONDS)
    except AssertionError as late:
        tails = {name: piece.lines[-5:] for name, piece in stack.pieces.items()}
        raise AssertionError(
            f"{late}; {len(waiting)} wait: {sorted(waiting)[:10]} {tails}"
        ) from None
    plan.is_armed = False


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    pictures = sorted((Path(__file__).parents[2] / "docs/pictures").glob("*.gray.jpg"))
    chance = random.Random(SEED)
    uploads = uploads_of(chance, pictures)
    stack = Stack(tmp_path_factory.mktemp("chaos"), SEED)
    try:
        stack.start()
        calm = calm_results(stack, uploads)
        start = time.monotonic()
        go_wrong(stack, uploads, chance)
        run = end_state(stack, uploads, calm)
        run.seconds = time.monotonic() - start
        stack.wait_for_workers()  # to be told to leave, one must have come
    finally:
        codes = stack.stop()
    run.exit_codes = codes
    print(report(run))
    return run


def end_state(stack: Stack, uploads: list[Upload], calm: dict[tuple[str, str], Any]) -> Run:
    s3 = stack.cloud.s3()
    stored = listing(stack, RESULTS_BUCKET)
    records = Records(s3, RESULTS_BUCKET)
    found = {upload.key: records.get(upload.key) for upload in uploads}
    results = {
        key: dict(reply) | {"Body": reply["Body"].read()}
        for key in stored
        if not key.startswith(("records/", "calm/")) and key != "strategies.json"
        for reply in [s3.get_object(Bucket=RESULTS_BUCKET, Key=key)]
    }
    return Run(
        plan=stack.plan,
        uploads=uploads,
        calm=calm,
        records={key: record for key, record in found.items() if record is not None},
        results=results,
        left=listing(stack, UPLOADS_BUCKET),
        keys_of_records={key for key in stored if key.startswith("records/")},
        stack=stack,
    )


def report(run: Run) -> str:
    lost, doubled = lost_uploads(run), doubled_uploads(run)
    counts = {
        "photographs": len(run.uploads),
        "seed": SEED,
        "seconds": round(run.seconds),
        **dict(sorted(run.plan.counts.items())),
        **{f"ended as {code}": number for code, number in sorted(run.outcomes.items())},
        "event sources that gave up by themselves": len(run.stack.ends_by_itself),
        "vanished before anybody looked": len(run.uploads) - len(run.records) - len(lost),
        "lost": len(lost),
        "doubled": len(doubled),
    }
    return "\n" + "\n".join(f"{name:50} {number:>8}" for name, number in counts.items())


def lost_uploads(run: Run) -> list[str]:
    """Uploads that came to nothing, or to no end."""
    return [
        upload.key
        for upload in run.uploads
        if (
            not run.records[upload.key].status.is_final
            if upload.key in run.records
            else upload.key in run.left
        )
    ]


def doubled_uploads(run: Run) -> list[str]:
    """Orders that ended more than once, and failures beside a result of the same upload."""
    twice = [
        f"{key}: order {order} ended {number} times"
        for (key, order), number in run.plan.finals.items()
        if number > 1
    ]
    both = [
        f"{key}: {record.error['code']} in order {record.order}, beside its result"
        for key, record in run.records.items()
        if record.error
        and key in run.results
        and run.results[key]["Metadata"]["source-etag"] == record.source.etag.strip('"')
    ]
    return twice + both


def test_nothing_is_lost(run: Run) -> None:
    assert lost_uploads(run) == []


def test_nothing_ends_twice(run: Run) -> None:
    assert doubled_uploads(run) == []


def test_each_record_is_of_the_upload_that_is_there(run: Run) -> None:
    for key, etag in run.left.items():
        if key in run.records:
            assert run.records[key].source.etag == etag, key


def test_each_done_record_has_its_result_and_the_calm_runs_pixels(run: Run) -> None:
    done = {key: one for key, one in run.records.items() if one.status is Status.DONE}
    assert done
    for key, record in done.items():
        result = run.results[key]
        assert record.result is not None
        assert record.result["etag"] == result["ETag"], key
        assert result["Metadata"]["source-etag"] == record.source.etag.strip('"'), key
        calm = run.calm[record.source.etag, record.strategy]
        assert np.array_equal(pixels(result["Body"]), calm), key


def test_each_failure_has_its_reason(run: Run) -> None:
    given_up = []
    for upload in run.uploads:
        record = run.records.get(upload.key)
        if record is None or record.status is not Status.FAILED:
            is_hazard = upload.codes and not upload.is_deleted
            assert not is_hazard, f"{upload.key} was to fail"
            continue
        assert record.error is not None
        assert record.error["message"].endswith("."), upload.key
        if record.error["code"] == "gave_up":
            given_up.append(upload.key)
        else:
            assert record.error["code"] in upload.codes, (upload.key, record.error)
    assert "hazard/bug.jpg" in given_up
    assert len(given_up) <= MOST_GIVEN_UP * len(run.uploads), given_up


def test_no_orphans_are_left(run: Run) -> None:
    assert run.results.keys() <= run.records.keys()
    uploaded = {upload.key for upload in run.uploads}
    for key in run.keys_of_records:
        name = key.removeprefix("records/").removesuffix(".json")
        assert name in uploaded or name.startswith("calm/")
    assert list(run.stack.temporary.rglob("*")) == []
    assert [path for path in run.stack.home.rglob("*") if path.is_file()] == []


def test_everything_went_wrong_that_was_to(run: Run) -> None:
    assert run.plan.kills == []
    assert run.plan.meddle == {}
    for name in ("faults: lost", "faults: cut", "faults: reset", "events repeated"):
        assert run.plan.counts[name], name
    assert run.plan.counts["steps that failed for good"]
    assert run.plan.counts["messages given to both workers"]
    assert run.plan.counts["heartbeats unheard"]


def test_no_worker_ends_but_when_told(run: Run) -> None:
    """Whatever S3, SQS and its photographs do."""
    assert [end for end in run.stack.ends_by_itself if end.startswith("worker")] == []
    assert {name: run.exit_codes[name] for name in WORKERS} == dict.fromkeys(WORKERS, 0)
