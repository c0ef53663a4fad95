"""The page that carries the window: in French from its first byte, and closed to every other machine."""

from __future__ import annotations

from importlib import resources

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


def static_text(name: str) -> str:
    """The text of a file of `ui/static`."""
    return resources.files("ui").joinpath("static", name).read_text(encoding="utf-8")


class FrenchPage:
    """ASGI middleware: marks Gradio's page as French and adds the window's script and its headers.

    Gradio adds scripts once its own have run and chosen a language, which is too late; and its page
    names addresses of its makers. The policy sent with the page forbids the browser to reach them.
    """

    def __init__(self, app: ASGIApp, path: str = "/") -> None:
        self.app = app
        self.path = path
        style, script = static_text("style.css"), static_text("window.js")
        self.head = f"<style>{style}</style><script>{script}</script></head>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything through but the page itself."""
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def send_page(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            headers = MutableHeaders(raw=list(start["headers"]))
            page = bytes(body)
            if headers.get("content-type", "").startswith("text/html"):
                page = page.replace(b'lang="en"', b'lang="fr"', 1).replace(b"</head>", self.head, 1)
                headers["content-security-policy"] = CONTENT_SECURITY_POLICY
                headers["referrer-policy"] = "same-origin"
                headers["x-content-type-options"] = "nosniff"
                headers["cache-control"] = "no-store"
                headers["content-length"] = str(len(page))
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": page})

        # Compressed, the page could not be read here.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self.app({**scope, "headers": plain}, receive, send_page)
