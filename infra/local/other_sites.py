"""What keeps other websites out: moto has any page read and delete, whoever signed for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

HOSTS = {"127.0.0.1", "localhost"}
SWITCHES = ("/moto-api/", "/latest/")
"""moto's own, most turned by a GET: they record all that is sent, replay it, forget it."""
SIGN_OF_LIFE = "/moto-api/"
HEADERS = [("Content-Security-Policy", "sandbox"), ("X-Content-Type-Options", "nosniff")]
"""A page that was put into a bucket is a page of nobody's: it runs no script and reads no other."""


def refusal(environ: Mapping[str, str], page_origins: Collection[str]) -> str | None:
    """Why a WSGI request is not answered, in a sentence; ``None`` for one that is.

    Programs name no origin. Browsers name it in whatever could read an answer or change something
    in a bucket.
    """
    host = environ.get("HTTP_HOST", "").partition(":")[0]
    if host not in HOSTS:  # a site whose name was made to lead here is no other site to a browser
        return f"This S3 is no {host!r}: ask it as 127.0.0.1 or localhost."
    path = environ.get("PATH_INFO", "")
    if path.startswith(SWITCHES) and path != SIGN_OF_LIFE:
        return "moto's own switches are out of reach here, for any website could turn them."
    origin = environ.get("HTTP_ORIGIN")
    if origin is None or origin in page_origins:
        return None
    return (
        f"This S3 answers programs and deepcolor's page on this machine, and no page of {origin}."
    )
