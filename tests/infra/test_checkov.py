"""What checkov holds against the template, and why we leave it so."""

from __future__ import annotations

import json
import os
import subprocess

from tests.infra.conftest import tool
from tests.infra.template import ROOT

CHECKOV = "checkov==3.3.30"

ACCEPTED = {
    "CKV_AWS_18": "access logs want a third bucket; CloudTrail's data events say more",
    "CKV_AWS_21": "versions are a parameter: visitors who delete a photograph want it gone",
    "CKV_AWS_26": "alarms can't speak to a topic under AWS's own key, and they hold no secrets",
    "CKV_AWS_27": "the queues are encrypted by SQS itself, which this check does not know",
    "CKV_AWS_115": "new accounts have no concurrency to reserve; queues and the API throttle",
    "CKV_AWS_116": "for asynchronous calls; the queues have theirs, a schedule comes again",
    "CKV_AWS_117": "the functions speak to AWS only, which a VPC would put behind paid endpoints",
    "CKV_AWS_136": "encrypted by AES256 as ECR does by itself; the image holds no secrets",
    "CKV_AWS_149": "encrypted by AWS's own key; another key would cost more than the secret",
    "CKV_AWS_158": "encrypted by CloudWatch's own key; the logs hold names, no photographs",
    "CKV_AWS_173": "encrypted by Lambda's own key; who may use that could set the variables anyway",
}


def test_checkov_finds_nothing_but_what_was_decided_with_reason() -> None:
    command = [
        tool("checkov", CHECKOV) / "checkov",
        *("--file", ROOT / "template.yaml", "--framework", "cloudformation"),
        *("--skip-download", "--compact", "--quiet", "--output", "json"),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "ignore", "ANONYMIZED_TELEMETRY": "False"},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert not report["results"].get("parsing_errors")
    found = {check["check_id"]: check["check_name"] for check in report["results"]["failed_checks"]}
    assert {identity: found[identity] for identity in found.keys() - ACCEPTED.keys()} == {}
    assert ACCEPTED.keys() - found.keys() == set(), "these are no longer found"
