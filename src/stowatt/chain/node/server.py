"""The HTTP side of the node: JSON-RPC 2.0 over POST, for clients on the same machine by default.

Guards: the Host header must name an allowed host (a web page that has its name point to 127.0.0.1 is turned away), the
body must be declared as JSON (a web page cannot send that elsewhere without a permission that the node never gives),
and bodies and batches are limited in size.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aiohttp import web

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.node.encoding import RpcError
from stowatt.chain.node.methods import Methods
from stowatt.errors import LedgerError

MAX_BODY: Final = 1_048_576
MAX_BATCH: Final = 100
MAX_BRACKETS: Final = 10_000
PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_log = logging.getLogger(__name__)


class Node:
    """An HTTP server over a ledger. One thread runs the ledger, so requests never see each other's half-done work."""

    def __init__(
        self,
        ledger: EmbeddedLedger,
        *,
        host: str = "127.0.0.1",
        port: int = 8545,
        dev_clock: bool = False,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self._methods = Methods(ledger, dev_clock=dev_clock)
        self._host, self.port = host, port
        self._allowed = {name.lower() for name in (*_LOOPBACK, host, *allowed_hosts)}
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where clients find the node."""
        return f"http://{self._host}:{self.port}"

    async def start(self) -> None:
        """Listens; with port 0 the system chooses one, which is then `port`."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/", self._handle)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise LedgerError(
                f"cannot listen on {self._host}:{self.port}: {error.strerror}", "choose another --port"
            ) from None
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stops listening and lets the running request finish."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._worker.shutdown(wait=True)

    async def _handle(self, request: web.Request) -> web.Response:
        name = request.headers.get("Host", "").lower()
        bare = name if name.endswith("]") else name.rsplit(":", 1)[0]
        if bare not in self._allowed:
            return web.Response(status=403, text="this host name is not allowed; see --allow-host\n")
        if request.content_type != "application/json":
            return web.Response(status=415, text="send application/json\n")
        try:
            text = await request.read()
            if text.count(b"[") + text.count(b"{") > MAX_BRACKETS:
                raise ValueError("nested too deeply, or no request of any kind")
            body = json.loads(text)
        except (ValueError, RecursionError):
            return web.json_response(_failure(None, PARSE_ERROR, "the body is not JSON"))
        if isinstance(body, list):
            if not 0 < len(body) <= MAX_BATCH:
                return web.json_response(_failure(None, INVALID_REQUEST, f"a batch has 1 to {MAX_BATCH} requests"))
            answers = [answer for answer in [await self._one(item) for item in body] if answer is not None]
            return web.json_response(answers) if answers else web.Response(status=204)
        answer = await self._one(body)
        return web.Response(status=204) if answer is None else web.json_response(answer)

    async def _one(self, item: Any) -> dict[str, Any] | None:
        """The answer to one request; None for a notification, which is run all the same."""
        if not isinstance(item, dict) or item.get("jsonrpc") != "2.0" or "method" not in item:
            return _failure(None, INVALID_REQUEST, "not a JSON-RPC 2.0 request")
        identity = item.get("id")
        loop = asyncio.get_running_loop()
        try:
            result = await loop.run_in_executor(
                self._worker, self._methods.answer, item["method"], item.get("params", [])
            )
        except RpcError as error:
            answer = _failure(identity, error.code, error.message, error.data)
        except Exception:
            _log.exception("the method %s failed", str(item["method"])[:80])
            answer = _failure(identity, INTERNAL_ERROR, "internal error; see the node's log")
        else:
            answer = {"jsonrpc": "2.0", "id": identity, "result": result}
        return answer if "id" in item else None


class BackgroundNode:
    """A node in a thread of its own, as a context manager: for programs that want a URL for their ledger."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="node", daemon=True)

    def __enter__(self) -> Node:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.node.start(), self._loop).result()
        return self.node

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self.node.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _failure(identity: Any, code: int, message: str, data: str | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": identity, "error": error}
