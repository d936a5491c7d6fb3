#!/bin/sh
# The benchmarks in an environment of their own, which also has the peer; arguments go to `python -m benchmarks`.
set -eu
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
VENV=.venv-bench
if [ ! -f "$VENV/.ready" ]; then
    echo "setting up $VENV (a few minutes the first time)"
    [ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check --constraint constraints.txt --editable . lm_eval==0.4.13
    touch "$VENV/.ready"
fi
exec "$VENV/bin/python" -m benchmarks "$@"
