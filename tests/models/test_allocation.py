import subprocess
import sys

import pytest

CODE = """
import resource
{call}
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    places = [ctypes.c_void_p(libc.malloc(8 << 20)) for _ in range(6)]
    for place in places:
        libc.memset(place, 1, 8 << 20)
    for place in places:
        libc.free(place)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
CALL = "from isophrase.models.allocation import reuse_freed_memory; assert reuse_freed_memory()"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the allocator is glibc's")
def test_large_blocks_cost_far_fewer_page_faults():
    faults = [
        int(subprocess.run([sys.executable, "-c", CODE.format(call=call)], check=True, capture_output=True).stdout)
        for call in ("", CALL)
    ]
    assert faults[1] < 0.2 * faults[0]
