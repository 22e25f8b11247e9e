"""The broker that the settings name. It carries job ids and may forget them at any time."""

from __future__ import annotations

import dramatiq
import pika
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, ShutdownNotifications

from registry.errors import TouchstoneError
from registry.settings import Settings

#: RabbitMQ is away when it says nothing for so long, however open the connection is. For
#: Redis, its client has a limit of its own.
SILENCE_SECONDS = 30


def make_broker(settings: Settings) -> dramatiq.Broker:
    """Make the broker.

    There is no Retries middleware: the outbox retries, and two who retry are one too many.
    There is no TimeLimit either: it raises in the midst of anything, a commit included,
    and the lease does its work.
    """
    middleware: list[Middleware] = [ShutdownNotifications()]
    url = settings.broker_url
    if url == "embedded:":
        return StubBroker(middleware=middleware)
    if url.startswith(("redis://", "rediss://")):
        return RedisBroker(  # type: ignore[no-untyped-call]
            url=url, middleware=middleware, namespace=settings.broker_namespace
        )
    broker = RabbitmqBroker(url=url, middleware=middleware)
    parameters = pika.URLParameters(url)
    parameters.heartbeat = SILENCE_SECONDS
    # RabbitMQ stops reading from who publishes while its memory or disk runs out.
    parameters.blocked_connection_timeout = SILENCE_SECONDS
    # Its own way to pass them knows no URLs.
    broker.parameters = [parameters]
    return broker


def check(settings: Settings) -> str:
    """Try to reach the broker; a sentence about it.

    Raises
    ------
    TouchstoneError
        If it does not answer, saying what to do.
    """
    url = settings.broker_url
    shown = url.split("@")[-1]
    try:
        if url.startswith(("redis://", "rediss://")):
            client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
            with client:
                client.ping()
            return f"Redis at {shown}"
        if url.startswith(("amqp://", "amqps://")):
            parameters = pika.URLParameters(url)
            parameters.socket_timeout = 5
            parameters.connection_attempts = 1
            pika.BlockingConnection(parameters).close()
            return f"RabbitMQ at {shown}"
    except (redis.RedisError, pika.exceptions.AMQPError, OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise TouchstoneError(
            f"broker: {shown} does not answer ({reason}): start it, or set TOUCHSTONE_BROKER_URL"
        ) from error
    return "embedded: in this process; the database keeps the jobs"
