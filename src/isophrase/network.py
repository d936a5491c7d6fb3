"""A time limit on calls that may hang: an unreachable network is an error within seconds.

Knows threads. Does not know what is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


def call_within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """The result of a call, or TimeoutError after some seconds.

    Looking up a name and connecting to several addresses in turn have no common time limit of their own, hence the
    thread. A call that is given up goes on in the background and doesn't keep the process alive.

    Args:
        seconds: The limit.
        call: What to call.

    Raises:
        TimeoutError: The limit was reached.
        Exception: Whatever the call raises.
    """
    results: list[_Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # handed to the caller below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return results[0]
