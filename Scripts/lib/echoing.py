"""A client that sends messages on a schedule, and notes how long each takes to come back."""
import time

import harness

MESSAGE = b"\x82\x94\0\0\0\0" + b"e" * 20
INTERVAL = 0.005
ANSWER = b"\x82\x14" + b"e" * 20
BOUNDS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]  # seconds


class Echoing:
    def __init__(self, port):
        self.connection = harness.handshake(port, "/echo", timeout=20)
        self.latencies = []

    def run(self, while_true):
        """A message is due every five milliseconds, and late answers do not excuse the next ones: each latency is counted from when
        its message was due."""
        due = time.monotonic()
        while while_true():
            time.sleep(max(0, due - time.monotonic()))
            self.echo()
            self.latencies.append(time.monotonic() - due)
            due += INTERVAL

    def echo(self):
        self.connection.sendall(MESSAGE)
        answer = b""
        while len(answer) < len(ANSWER):
            piece = self.connection.recv(len(ANSWER) - len(answer))
            if not piece:
                raise ConnectionError("the echo connection was closed")
            answer += piece
        if answer != ANSWER:
            raise ValueError(f"{answer!r} came back")

    def percentile(self, share):
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("inf")


def histogram(latencies):
    """How many were within which bound."""
    parts, below = [], 0.0
    for bound in BOUNDS + [float("inf")]:
        count = sum(below <= latency < bound for latency in latencies)
        if count:
            parts.append(f"{count} < {bound * 1e3:g} ms")
        below = bound
    return ", ".join(parts) or "none"
