from __future__ import annotations

from web.headers import content_security_policy


def test_the_policy_trusts_the_storage_and_nothing_inline() -> None:
    policy = dict(
        directive.split(" ", 1)
        for directive in content_security_policy(["https://one", "https://two"]).split("; ")
    )
    assert "unsafe" not in str(policy)
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    for directive in ("img-src", "connect-src", "form-action"):
        assert policy[directive].endswith("https://one https://two")
