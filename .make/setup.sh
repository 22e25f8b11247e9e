#!/bin/sh
# Makes .venv with the locked dependencies of the lock file named; does nothing if it is there.
set -eu
cd "$(dirname "$0")/.."
. .make/lib.sh
lock=$1

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

wanted=$(cat "$lock" pyproject.toml | sha256sum | cut -c1-64)
stamp=.venv/touchstone-$lock
if [ -x .venv/bin/touchstone ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
python=$(find_python) || missing "Python 3.11, 3.12 or 3.13 is missing: apt-get install python3"
if ! fits .venv/bin/python; then
    echo "touchstone: setting up .venv (once)" >&2
    "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv ||
        missing "Python's venv is missing: apt-get install python3-venv"
    rm -rf .venv
    "$python" -m venv .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" \
    2>.venv/pip.log || { tail -n 3 .venv/pip.log >&2; missing "the packages of $lock could not be installed"; }
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation --editable . 2>.venv/pip.log ||
    { tail -n 3 .venv/pip.log >&2; missing "touchstone itself could not be installed"; }
echo "$wanted" >"$stamp"
