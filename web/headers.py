"""What every answer tells the browser: whom to trust, and what to keep."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SecurityHeaders:
    """Wraps the whole application, so that no answer, not even to a crash, goes without."""

    def __init__(self, app: ASGIApp, storage_origins: Sequence[str]):
        self.app = app
        self.headers = {
            "Content-Security-Policy": content_security_policy(storage_origins),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            # A photograph taken with the phone comes through its file chooser, which asks no leave.
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            "Cache-Control": "no-store",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def content_security_policy(storage_origins: Sequence[str]) -> str:
    storage = " ".join(storage_origins)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: {storage}",  # blob: a photograph's preview while it uploads
            f"connect-src 'self' {storage}",
            f"form-action 'self' {storage}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
