#!/bin/sh
# The tests talk to a real PostgreSQL, Redis and RabbitMQ. Those that answer are used; the
# others are installed and started on loopback, and their addresses written to services.env.
set -eu
cd "$(dirname "$0")/.."
. .make/lib.sh
env_file=.make/services.env
: >"$env_file"

answers() { .venv/bin/python -c "import socket; socket.create_connection(('127.0.0.1', $1), 1)" 2>/dev/null; }
wait_for() {
    for _ in $(seq 60); do
        answers "$1" && return 0
        sleep 0.5
    done
    return 1
}
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

if [ -z "${TOUCHSTONE_TEST_POSTGRES:-}" ]; then
    url=postgresql+psycopg://postgres@127.0.0.1:5432/test
    if ! .venv/bin/python - "$url" 2>/dev/null <<'PY'; then
import sys
from sqlalchemy import create_engine
create_engine(sys.argv[1]).connect()
PY
        url=postgresql+psycopg://postgres@127.0.0.1:54329/postgres
        if ! answers 54329; then
            pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
            if [ -z "$pg" ]; then
                apt_install postgresql ||
                    missing "PostgreSQL is missing: apt-get install postgresql, or set TOUCHSTONE_TEST_POSTGRES"
                pg=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
            fi
            data=$(as_postgres mktemp -d)
            as_postgres "$pg/initdb" -D "$data" -U postgres --auth=trust >/dev/null
            as_postgres "$pg/pg_ctl" -D "$data" -l "$data/log" \
                -o "-p 54329 -c listen_addresses=127.0.0.1 -k $data" start >/dev/null
            wait_for 54329 || missing "PostgreSQL does not start; see $data/log"
        fi
    fi
    echo "export TOUCHSTONE_TEST_POSTGRES=$url" >>"$env_file"
fi

if [ -z "${TOUCHSTONE_TEST_REDIS:-}" ] && ! answers 6379; then
    command -v redis-server >/dev/null || apt_install redis-server ||
        missing "Redis is missing: apt-get install redis-server, or set TOUCHSTONE_TEST_REDIS"
    answers 6379 || redis-server --daemonize yes --bind 127.0.0.1 --save "" >/dev/null
    wait_for 6379 || missing "Redis does not start: redis-server --daemonize yes"
fi

if [ -z "${TOUCHSTONE_TEST_AMQP:-}" ] && ! answers 5672; then
    command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || apt_install rabbitmq-server ||
        missing "RabbitMQ is missing: apt-get install rabbitmq-server, or set TOUCHSTONE_TEST_AMQP"
    answers 5672 || PATH="$PATH:/usr/sbin" rabbitmq-server -detached >/dev/null 2>&1
    wait_for 5672 || missing "RabbitMQ does not start: rabbitmq-server -detached"
fi
