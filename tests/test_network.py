"""A call that hangs is given up."""

import threading

import pytest

from isophrase.network import call_within


def test_a_call_in_time_gives_its_result_or_its_error():
    assert call_within(5, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        call_within(5, lambda: 1 // 0)


def test_a_call_that_hangs_is_given_up():
    release = threading.Event()
    with pytest.raises(TimeoutError, match="no answer within"):
        call_within(0.05, lambda: release.wait(5))
    release.set()
