"""Real S3 on loopback, the application on buckets of its own, and the worker's part."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx2
import pytest
from PIL import Image
from starlette.testclient import TestClient

from functions.contract import manifest
from functions.contract.keys import WEB_PREFIX
from functions.contract.records import Record, Records, Source, Status
from tests.servers import moto
from web.app import create_app

ARRIVAL_SECONDS = 10

COMMON_KNOBS = [
    {
        "name": "saturation",
        "description": "a factor on the colors",
        "low": 0,
        "default": 1,
        "high": 2,
    },
    {
        "name": "size",
        "description": "pixels of the square that the network sees",
        "low": 64,
        "default": 256,
        "high": 1024,
    },
]
MANIFEST: dict[str, Any] = {
    "default": "colornet",
    "strategies": [
        {
            "name": "colornet",
            "title": "colornet",
            "description": "Trained here, works offline.",
            "url": "https://example.org/colornet",
            "license": {"code": "Apache-2.0", "weights": "Apache-2.0", "restricted": False},
            "training_data": "21,032 photographs",
            "size": 256,
            "knobs": [
                {
                    "name": "vividness",
                    "description": "0 is safe, 2 bold",
                    "low": 0.0,
                    "default": 1.0,
                    "high": 2.0,
                },
                *COMMON_KNOBS,
            ],
            "hints": True,
            "weights": [{"filename": "a", "url": "https://example.org/a", "bytes": 1}],
            "ready": True,
            "problem": None,
        },
        {
            "name": "painter",
            "title": "The <b>Painter</b>",
            "description": "Vivid & bold.",
            "url": "javascript:alert(1)",
            "license": {"code": "MIT", "weights": "CC-BY-NC-4.0", "restricted": True},
            "training_data": "paintings",
            "size": 512,
            "knobs": COMMON_KNOBS,
            "hints": False,
            "weights": [],
            "ready": True,
            "problem": None,
        },
        {
            "name": "richzhang",
            "title": "Zhang et al. 2016",
            "description": "Colorful Image Colorization.",
            "url": "https://richzhang.github.io/colorization/",
            "license": {"code": "BSD-2-Clause", "weights": "BSD-2-Clause", "restricted": False},
            "training_data": "1.3 million photographs of ImageNet, which are for research only",
            "size": 256,
            "knobs": COMMON_KNOBS,
            "hints": False,
            "weights": [],
            "ready": False,
            "problem": "Its weights are not here yet. Connect to the internet and try again.",
        },
    ],
}


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a moto server.

    It lets every origin in. With MOTO_DISABLE_GLOBAL_CORS it would let none post a form: its reply
    to one never carries the headers of the bucket's own rules.
    """
    with moto(tmp_path_factory.mktemp("moto")) as address:
        yield address


@dataclass(frozen=True)
class Site:
    """The application on buckets of its own, and what a worker would do to them."""

    app: Any
    s3: Any
    uploads: str
    results: str

    def client(self) -> TestClient:
        """A visitor."""
        return TestClient(self.app)

    def send(self, created: dict[str, Any], picture: bytes) -> str:
        """Uploads by the signed form, as a browser would; gives the key."""
        form = created["upload"]
        sent = httpx2.post(form["url"], data=form["fields"], files={"file": ("x", picture)})
        assert sent.status_code == 204, sent.text
        key: str = form["fields"]["key"]
        return key

    def publish(self) -> None:
        manifest.publish(self.s3, self.results, MANIFEST)

    def arrived(self, filename: str) -> str:
        """The key of the newest upload of that name, once it is there."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while time.monotonic() < deadline:
            listed = self.s3.list_objects_v2(Bucket=self.uploads, Prefix=WEB_PREFIX)
            ids = {item["Key"].split("/")[2]: item["Key"] for item in listed.get("Contents", [])}
            keys = [key for _, key in sorted(ids.items()) if key.endswith(f"/{filename}")]
            if keys:
                return keys[0]
            time.sleep(0.02)
        raise AssertionError(f"{filename} did not arrive")

    def record(self, key: str, status: Status, **changes: Any) -> Record:
        """What dispatch and worker say of the upload as it is now, in an order of its own."""
        head = self.s3.head_object(Bucket=self.uploads, Key=key)
        told = dict(head["Metadata"])
        strategy, correlation_id = told.pop("strategy"), told.pop("correlation-id")
        hints = told.pop("hints", "").split()

        def news(current: Record | None) -> Record:
            is_new = current is None or current.correlation_id != correlation_id
            record = Record(
                key=key,
                order=(current.order if current else 0) + is_new,
                status=Status.QUEUED,
                strategy=strategy,
                source=Source.of(head),
                correlation_id=correlation_id,
                knobs={name: float(value) for name, value in told.items()},
                hints=hints,
            )
            return record.moved(status, **changes)

        return Records(self.s3, self.results).update(key, news)

    def color(self, key: str, picture: bytes) -> None:
        """What a worker leaves behind when all goes well."""
        with Image.open(io.BytesIO(picture)) as image:
            width, height = image.size
        self.s3.put_object(Bucket=self.results, Key=key, Body=picture, ContentType="image/jpeg")
        result = {"content_type": "image/jpeg", "width": width, "height": height}
        self.record(key, Status.DONE, result=result, milliseconds={"color": 12.5})

    def fail(self, key: str, sentence: str, code: str = "not_an_image") -> None:
        self.record(key, Status.FAILED, error={"code": code, "message": sentence})


MakeSite = Callable[..., Site]


@pytest.fixture(scope="session")
def make_site(s3_endpoint: str) -> MakeSite:
    numbers = itertools.count()
    environment = {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DEEPCOLOR_WEB_SECRET": "a secret of the tests",
    }

    def make(*, published: bool = True, max_upload_bytes: int = 2**20) -> Site:
        number = next(numbers)
        uploads, results = f"uploads-{number}", f"results-{number}"
        variables = {
            "DEEPCOLOR_UPLOADS_BUCKET": uploads,
            "DEEPCOLOR_RESULTS_BUCKET": results,
            "DEEPCOLOR_MAX_UPLOAD_BYTES": str(max_upload_bytes),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (environment | variables).items():
                patch.setenv(name, value)
            app = create_app()
            s3 = boto3.client("s3")
        for bucket in (uploads, results):
            s3.create_bucket(Bucket=bucket)
        site = Site(app, s3, uploads, results)
        if published:
            site.publish()
        return site

    return make


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    return make_site()


@pytest.fixture
def visitor(site: Site) -> TestClient:
    return site.client()


Wish = dict[str, Any]


@pytest.fixture
def wish(gray_jpeg: bytes) -> Wish:
    """What the page asks for when grandma.jpg is chosen."""
    return {
        "filename": "grandma.jpg",
        "content_type": "image/jpeg",
        "size": len(gray_jpeg),
        "strategy": "colornet",
    }


@pytest.fixture
def uploaded(visitor: TestClient, site: Site, wish: Wish, gray_jpeg: bytes) -> tuple[str, str]:
    """A photograph that arrived in the bucket: its id and its key."""
    created = visitor.post("/api/images", json=wish).json()
    return created["id"], site.send(created, gray_jpeg)


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="session")
def gray_jpeg() -> bytes:
    """320 × 240 of gradient with some grain."""
    grain = Image.effect_noise((320, 240), 24)
    return _jpeg(Image.blend(Image.linear_gradient("L").resize((320, 240)), grain, 0.3))


@pytest.fixture(scope="session")
def colored_jpeg() -> bytes:
    ramp = Image.linear_gradient("L").resize((320, 240))
    return _jpeg(Image.merge("RGB", [ramp, ramp.rotate(180), ramp.rotate(90).resize((320, 240))]))


@pytest.fixture
def gray_file(tmp_path: Path, gray_jpeg: bytes) -> Path:
    """Its name is that of no other test's."""
    path = tmp_path / f"{tmp_path.name}.jpg"
    path.write_bytes(gray_jpeg)
    return path
