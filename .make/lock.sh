#!/bin/sh
# Resolves the dependencies anew. No index address and no path may come into the lock files.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "make lock" pyproject.toml "$@"
}
compile --group build -o requirements.lock
compile --group build --group dev -c requirements.lock -o requirements-dev.lock
