"""Reads the blocks of a page back: the counterpart of `encode.py`, written apart from it and from the script."""

import base64
import json
import zlib

import numpy as np


def inflate(text):
    return zlib.decompress(base64.b64decode(text), -15)


def decode(block):
    """(text, arrays) of one block."""
    whole = json.loads(block)
    arrays = {}
    for name, array in whole["arrays"].items():
        planes = np.frombuffer(inflate(array["data"]), np.uint8).reshape(array["bytes"], -1).astype(np.int64)
        arrays[name] = sum(plane << (8 * place) for place, plane in enumerate(planes))
    return json.loads(inflate(whole["text"])), arrays
