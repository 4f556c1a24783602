"""Clients of one topic for the pub/sub proofs: an audience that reads without blocking, and a publisher of numbered messages.

Every message is as long as the others and its content follows from its number, so what a subscriber has to receive is known byte by
byte: that it came exactly once and in order is one comparison of what was read with what was to come.
"""
import select
import socket
import struct
import time

import harness

CHUNK = 1 << 18


def numbered_payload(number, size):
    return (b"%012d " % number).ljust(size, b"x")


def server_frame(payload):
    """A binary frame as a server sends it (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", 0x82, length) + payload
    return (struct.pack("!BBH", 0x82, 126, length) if length < 1 << 16 else struct.pack("!BBQ", 0x82, 127, length)) + payload


def client_frame(payload):
    """The same from a client, masked with zeroes."""
    frame = server_frame(payload)
    head = len(frame) - len(payload)
    return bytes([frame[0], frame[1] | 0x80]) + frame[2:head] + b"\0\0\0\0" + payload


class Subscriber:
    def __init__(self, port, path, small_buffers=False):
        self.connection = self.connect(port, path, small_buffers)
        self.connection.setblocking(False)
        self.received = 0  # bytes behind the first one expected

    @staticmethod
    def connect(port, path, small_buffers):
        if not small_buffers:
            return harness.handshake(port, path)
        # Short segments keep the kernel's buffers short on both sides: a reader that stops is felt after some 100 KB instead of megabytes.
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096), (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)]
        return harness.handshake(port, path, options=options)


class Audience:
    """Subscribers of one topic that read everything; `expect` tells them what."""

    subscriber = Subscriber

    def __init__(self, port, path, count):
        self.subscribers = [self.subscriber(port, path) for _ in range(count)]
        self.poll = select.epoll()
        self.by_descriptor = {}
        for subscriber in self.subscribers:
            self.by_descriptor[subscriber.connection.fileno()] = subscriber
            self.poll.register(subscriber.connection, select.EPOLLIN)
        self.expected = bytearray()
        self.forgotten = 0  # expected bytes that everyone has received
        self.missing = 0  # bytes that are still to come, all subscribers together
        self.wrong = 0  # subscribers that received something else
        self.on_progress = None  # called with (bytes before, bytes now) of one subscriber

    def expect(self, frames):
        if not self.missing:
            self.forgotten += len(self.expected)
            self.expected.clear()
        self.expected += frames
        self.missing += len(frames) * len(self.subscribers)

    def turn(self, timeout):
        """Reads what has come, waiting at most so many seconds for the first of it."""
        for descriptor, _ in self.poll.poll(timeout):
            self.read(self.by_descriptor[descriptor])

    def read(self, subscriber):
        try:
            piece = subscriber.connection.recv(CHUNK)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        start = subscriber.received - self.forgotten
        if not piece or self.expected[start:start + len(piece)] != piece:
            self.leave_out(subscriber)
            return
        before = subscriber.received
        subscriber.received += len(piece)
        self.missing -= len(piece)
        if self.on_progress:
            self.on_progress(before, subscriber.received)

    def leave_out(self, subscriber):
        """It has been cut off, or has received what it must not."""
        self.wrong += 1
        self.missing -= self.forgotten + len(self.expected) - subscriber.received
        self.poll.unregister(subscriber.connection)
        self.subscribers.remove(subscriber)

    def read_everything(self, seconds=20):
        """Whether everything expected came within the time."""
        deadline = time.monotonic() + seconds
        while self.missing and time.monotonic() < deadline:
            self.turn(0.1)
        return not self.missing

    def read_surplus(self, seconds=0.3):
        """Reads on for a while: whoever gets more than was expected is counted as wrong."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.turn(left)

    def close(self):
        self.poll.close()
        for subscriber in self.subscribers:
            subscriber.connection.close()


class Publisher:
    """Sends numbered messages to `/publish/…`."""

    def __init__(self, port, path, size):
        self.connection = harness.handshake(port, path)
        self.size = size
        self.published = 0

    def publish(self, count, audience=None):
        payloads = [numbered_payload(self.published + index, self.size) for index in range(count)]
        if audience:
            audience.expect(b"".join(map(server_frame, payloads)))
        self.published += count
        self.connection.sendall(b"".join(map(client_frame, payloads)))

    def close(self):
        self.connection.close()


def run_windows(publisher, audience, window, seconds):
    """Publishes a window of messages, waits until everyone has them, and again. How many messages a second that makes."""
    started, first = time.monotonic(), publisher.published
    while (elapsed := time.monotonic() - started) < seconds:
        publisher.publish(window, audience)
        if not audience.read_everything():
            break
    return (publisher.published - first) / elapsed if elapsed else 0


def run_at_rate(publisher, audience, rate, seconds):
    """Publishes so many messages a second. The latencies in seconds, one per message and subscriber."""
    length = len(server_frame(numbered_payload(0, publisher.size)))
    base = audience.forgotten + len(audience.expected)
    times, latencies = [], []

    def note(before, now):
        clock = time.monotonic()
        latencies.extend(clock - times[index] for index in range((before - base) // length, (now - base) // length))

    audience.on_progress = note
    started = time.monotonic()
    while (clock := time.monotonic()) < started + seconds:
        due = started + len(times) / rate
        if clock >= due:
            times.append(clock)
            publisher.publish(1, audience)
        audience.turn(max(0, min(0.001, due - clock)))
    audience.read_everything()
    audience.on_progress = None
    return latencies
