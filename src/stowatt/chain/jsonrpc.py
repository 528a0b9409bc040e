"""A small JSON-RPC 2.0 client over HTTP: one request at a time, retries, errors that say what happened."""

from __future__ import annotations

import itertools
import time
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from stowatt.chain.errors import ConnectionFailed
from stowatt.errors import LedgerError

_BUSY: Final = frozenset({429, 502, 503, 504})
_PAUSES: Final = (0.2, 0.5, 1.0)


class RemoteError(LedgerError):
    """The endpoint answered with an error."""

    def __init__(self, method: str, code: int, message: str, data: Any) -> None:
        super().__init__(f"{method}: the endpoint says {message!r} (code {code})")
        self.code, self.message, self.data = code, message, data


class Endpoint:
    """One HTTP endpoint. The URL may hold an access key, so errors show only its host."""

    def __init__(self, url: str, *, timeout: float = 30) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConnectionFailed("the endpoint's URL is not an http(s) one", "give http://host:port or https://host")
        self._url, self._timeout = url, timeout
        self.name = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._session = requests.Session()
        self._numbers = itertools.count(1)

    def ask(self, method: str, *params: Any) -> Any:
        """The result; RemoteError if the endpoint refuses, ConnectionFailed if it gives no usable answer.

        Every method that is used here may be repeated without harm, so lost connections and busy endpoints are tried
        again a few times.
        """
        request: dict[str, Any] = {
            "jsonrpc": "2.0",
            "id": next(self._numbers),
            "method": method,
            "params": list(params),
        }
        problem = ""
        for pause in (*_PAUSES, None):
            try:
                response = self._session.post(self._url, json=request, timeout=self._timeout)
            except requests.RequestException as error:
                problem = type(error).__name__
            else:
                if response.status_code not in _BUSY:
                    return self._result(method, response)
                problem = f"HTTP status {response.status_code}"
            if pause is not None:
                time.sleep(pause)
        raise ConnectionFailed(
            f"no answer from {self.name} to {method} ({problem})", "check that the node runs and the URL is right"
        )

    def _result(self, method: str, response: Any) -> Any:
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or ("result" not in body and "error" not in body):
            raise ConnectionFailed(
                f"{self.name} answered {method} with HTTP status {response.status_code} and no JSON-RPC result",
                "check that the URL is that of an Ethereum JSON-RPC endpoint",
            )
        error = body.get("error")
        if error is not None:
            if not isinstance(error, dict):
                error = {"message": str(error)}
            raise RemoteError(method, int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
        return body["result"]

    def close(self) -> None:
        """Ends kept connections."""
        self._session.close()
