"""A server that writes: OpenAI-compatible `POST /chat/completions`.

Knows HTTP, retries and token counts. The key is read from the environment and never written anywhere.
"""

from __future__ import annotations

import importlib
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.writing import Reply, WritingRequest

KEY = "OPENAI_API_KEY"
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a server is asked.

    Attributes:
        seconds: How long one answer may take.
        retries: How often a request is sent again after an answer that may pass (429, 5xx) or none.
        parallel: Requests at once.
        wait: Seconds before the first repetition; doubled each time, with jitter, at most a minute.
    """

    seconds: float = 120.0
    retries: int = 5
    parallel: int = 4
    wait: float = 1.0


class ServerWriter:
    """A model behind an OpenAI-compatible server.

    Args:
        base_url: Its address with `/v1` or what stands in its place.
        model: The model's name there.
        options: How it is asked.
        sleep: Waits so many seconds; for tests.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        options: ServerOptions | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._model = model
        self._options = options or ServerOptions()
        self._sleep = sleep
        self._http = _http()

    @property
    def name(self) -> str:
        return self._model

    def write(self, requests: Sequence[WritingRequest]) -> list[Reply]:
        """One reply for each request, several at once; a refused request says why."""
        key = os.environ.get(KEY)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with (
            self._http.Client(timeout=self._options.seconds, headers=headers) as client,
            ThreadPoolExecutor(self._options.parallel) as pool,
        ):
            return list(pool.map(lambda request: self._ask(client, request), requests))

    def _ask(self, client: Any, request: WritingRequest) -> Reply:
        body = {
            "model": self._model,
            "messages": [{"role": item.role, "content": item.content} for item in request.messages],
            "temperature": request.temperature, "seed": request.seed, "max_tokens": request.max_new_tokens,
        }  # fmt: skip
        reason, pause = "", self._options.wait
        for attempt in range(self._options.retries + 1):
            if attempt:
                self._sleep(min(pause, _LONGEST_WAIT))
            pause = self._options.wait * 2**attempt * random.uniform(1.0, 1.5)
            try:
                response = client.post(self._url, json=body)
            except self._http.HTTPError as error:
                reason = f"no answer ({type(error).__name__}: {error})"
                continue
            if response.status_code == 200:
                return _reply(response)
            reason = f"HTTP {response.status_code}: {response.text[:200]}"
            if response.status_code not in _AGAIN:
                break
            pause = max(pause, _asked_pause(response.headers))
        return Reply("", failed=reason)


def _asked_pause(headers: Mapping[str, str]) -> float:
    """The seconds that the server asks for, or 0."""
    try:
        return float(headers.get("retry-after", 0))
    except ValueError:  # a date
        return 0.0


def _reply(response: Any) -> Reply:
    """The answer of a server; one that is not of the right shape is a failure, not a crash."""
    try:
        content = response.json()
        text = content["choices"][0]["message"]["content"]
        usage = content.get("usage") or {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Reply("", failed=f"an answer without choices[0].message.content: {response.text[:200]}")
    if not isinstance(text, str):
        return Reply("", failed="an answer without text")
    return Reply(text, int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)))


def _http() -> Any:
    """httpx, or its successor under the name of httpx2: both have the same client."""
    for name in ("httpx", "httpx2"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ModelError("the package `httpx`", got="it is not installed", remedy="run `pip install 'isophrase[server]'`")
