"""The signed form lets in what was announced and nothing else, by storage that holds it to that.

MiniStack enforces a POST's policy, which moto does not. Neither looks at the signature of a POST;
that is AWS's.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
import pytest

from tests.infra.conftest import CREDENTIALS, ministack  # noqa: F401, a fixture
from tests.web.conftest import Site
from web import photographs
from web.app import create_app

if TYPE_CHECKING:
    from tests.web.conftest import Wish

MAX_BYTES = 20_000
UPLOADS, RESULTS = "presigned-uploads", "presigned-results"


@pytest.fixture(scope="module")
def site(ministack: str) -> Iterator[Site]:  # noqa: F811
    variables = CREDENTIALS | {
        "AWS_ENDPOINT_URL": ministack,
        "DEEPCOLOR_WEB_SECRET": "a secret of the tests",
        "DEEPCOLOR_UPLOADS_BUCKET": UPLOADS,
        "DEEPCOLOR_RESULTS_BUCKET": RESULTS,
        "DEEPCOLOR_MAX_UPLOAD_BYTES": str(MAX_BYTES),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        s3 = boto3.client("s3")
        place: Any = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
        for bucket in (UPLOADS, RESULTS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        site = Site(create_app(), s3, UPLOADS, RESULTS)
        site.publish()
        yield site


@pytest.fixture
def form(site: Site, wish: Wish) -> dict[str, Any]:
    wish |= {"size": 1000, "knobs": {"saturation": 0.5}}
    form: dict[str, Any] = site.client().post("/api/images", json=wish).json()["upload"]
    return form


def sent(form: dict[str, Any], content: bytes = b"x" * 1000, **fields: str | None) -> int:
    """The status of a POST of the form with some of its fields changed, or left out if ``None``."""
    changed = {name.replace("_", "-"): value for name, value in fields.items()}
    data = {name: value for name, value in (form["fields"] | changed).items() if value is not None}
    status: int = httpx2.post(form["url"], data=data, files={"file": ("x", content)}).status_code
    return status


def keys(site: Site) -> set[str]:
    return {item["Key"] for item in site.s3.list_objects_v2(Bucket=UPLOADS).get("Contents", [])}


def test_the_announced_photograph_is_let_in(site: Site, form: dict[str, Any]) -> None:
    assert sent(form) == 204
    head = site.s3.head_object(Bucket=UPLOADS, Key=form["fields"]["key"])
    assert (head["ContentType"], head["ContentLength"]) == ("image/jpeg", 1000)
    assert head["Metadata"]["strategy"] == "colornet"
    assert head["Metadata"]["saturation"] == "0.5"


def test_the_form_can_be_sent_again_and_replaces_only_its_own_photograph(
    site: Site, form: dict[str, Any]
) -> None:
    assert sent(form) == 204
    before = keys(site)
    assert sent(form, b"y" * 500) == 204
    assert keys(site) == before
    assert site.s3.head_object(Bucket=UPLOADS, Key=form["fields"]["key"])["ContentLength"] == 500


@pytest.mark.parametrize("length", [1, MAX_BYTES])
def test_the_limits_themselves_are_let_in(form: dict[str, Any], length: int) -> None:
    assert sent(form, b"x" * length) == 204


def another_key(form: dict[str, Any]) -> str:
    """Beside the announced one, where another visitor's photograph would be."""
    web, _, *rest = form["fields"]["key"].split("/")
    return "/".join([web, "0" * 26, *rest])


REFUSED: dict[str, Callable[[dict[str, Any]], int]] = {
    "too big": lambda form: sent(form, b"x" * (MAX_BYTES + 1)),
    "too small": lambda form: sent(form, b""),
    "another visitor's key": lambda form: sent(form, key=another_key(form)),
    "a key outside of web/": lambda form: sent(form, key="colornet/a.jpg"),
    "a longer key": lambda form: sent(form, key=form["fields"]["key"] + "/../a.jpg"),
    "another type": lambda form: sent(form, Content_Type="text/html"),
    "no type": lambda form: sent(form, Content_Type=None),
    "another strategy": lambda form: sent(form, x_amz_meta_strategy="painter"),
    "no strategy": lambda form: sent(form, x_amz_meta_strategy=None),
    "another knob": lambda form: sent(form, x_amz_meta_saturation="2"),
    "another correlation id": lambda form: sent(form, x_amz_meta_correlation_id="1" * 26),
    "metadata of one's own": lambda form: sent(form, x_amz_meta_hints="1,1,#ffffff"),
    "a redirect of one's own": lambda form: sent(
        form, success_action_redirect="https://example.org"
    ),
    "public": lambda form: sent(form, acl="public-read"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_anything_else_is_refused(site: Site, form: dict[str, Any], what: str) -> None:
    before = keys(site)
    assert REFUSED[what](form) in {400, 403}
    assert keys(site) == before


def test_after_its_time_the_form_is_refused(
    site: Site, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "UPLOAD_SECONDS", -5)
    form = site.client().post("/api/images", json=wish | {"size": 1000}).json()["upload"]
    assert sent(form) in {400, 403}
    assert form["fields"]["key"] not in keys(site)


def test_the_policy_names_every_field_that_is_sent(form: dict[str, Any]) -> None:
    """What a policy does not name, AWS refuses; what it names loosely, anybody may choose."""
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    exact = {name for each in policy["conditions"] if isinstance(each, dict) for name in each}
    loose = [each for each in policy["conditions"] if isinstance(each, list)]
    assert loose == [["content-length-range", 1, MAX_BYTES]]
    assert exact == (form["fields"].keys() - {"policy", "x-amz-signature"}) | {"bucket"}
