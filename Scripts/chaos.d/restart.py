"""The server is killed (SIGKILL) and started again under 5,000 clients, which connect anew with exponential back-off and full jitter:
all are back, and each gets what is published then."""
import collections
import heapq
import time

import audience
from crowd import Crowd, Member

CLIENTS = 5_000
FIRST, LONGEST = 0.1, 5.0  # seconds of back-off
AT_ONCE = 500  # handshakes, at the beginning
ROUNDS = 5


class Faithful(Member):
    """Comes back."""

    def __init__(self, village):
        super().__init__()
        self.village, self.failures, self.heard = village, 0, 0

    def begin_anew(self):
        self.was_open, self.is_over, self.status, self.code = False, False, None, None
        self.incoming.clear()
        self.outgoing.clear()

    def opened(self):
        self.was_open, self.failures = True, 0
        self.village.open += 1

    def message(self, payload):
        self.heard += payload == self.village.news

    def ended(self):
        self.village.lost(self)


class Village:
    def __init__(self, port, generator):
        self.port, self.random, self.crowd = port, generator, Crowd()
        self.members = [Faithful(self) for _ in range(CLIENTS)]
        self.open, self.returning, self.order, self.endings = 0, [], 0, collections.Counter()
        self.is_closing, self.news = False, None

    def settle(self):
        """All connect for the first time, some hundred at a time."""
        for start in range(0, CLIENTS, AT_ONCE):
            for member in self.members[start:start + AT_ONCE]:
                self.connect(member)
            self.live_until(lambda: self.open >= start + AT_ONCE)
        return self.open == CLIENTS

    def lost(self, member):
        if self.is_closing:
            return
        self.endings[member.ending] += 1
        self.open -= member.was_open
        member.failures += 1
        wait = self.random.uniform(0, min(LONGEST, FIRST * 2 ** member.failures))
        self.order += 1
        heapq.heappush(self.returning, (time.monotonic() + wait, self.order, member))

    def connect(self, member):
        member.begin_anew()
        self.crowd.connect(member, self.port, "/topic/t")

    def live_until(self, condition, seconds=120):
        """Whether it came true; the bound is there for hanging."""
        end = time.monotonic() + seconds
        while not (holds := condition()) and time.monotonic() < end:
            now = time.monotonic()
            while self.returning and self.returning[0][0] <= now:
                self.connect(heapq.heappop(self.returning)[2])
            self.crowd.turn(0.02)
        return holds

    def tell(self, server, news):
        """Whether each gets a message that is published now, and gets it once."""
        self.news = audience.numbered_payload(news, 100)
        for member in self.members:
            member.heard = 0
        publisher = audience.Publisher(server.port, "/publish/t", 100)
        publisher.published = news
        publisher.publish(1)
        all_heard = self.live_until(lambda: all(member.heard for member in self.members))
        publisher.close()
        return all_heard and all(member.heard == 1 for member in self.members)

    def close(self):
        self.is_closing = True
        self.crowd.close()


def run(scene):
    server = scene.server("--idle-timeout", "0")
    server.__enter__()
    village = Village(server.port, scene.random)
    try:
        scene.check_driver(server.statistics())
        scene.check(village.settle() and village.tell(server, 0), f"{CLIENTS} clients are there, and hear what is published",
                    (village.open, village.endings))
        for number in range(1, (1 if scene.seconds < 15 else ROUNDS) + 1):
            server = kill_and_restart(scene, server, village, number)
    finally:
        village.close()
        server.stop()


def kill_and_restart(scene, server, village, number):
    village.endings.clear()
    server.process.kill()
    server.process.wait()
    killed = time.monotonic()
    village.live_until(lambda: village.open == 0)
    successor = scene.server("--idle-timeout", "0", port=server.port)
    successor.__enter__()
    started = time.monotonic()
    are_back = village.live_until(lambda: village.open == CLIENTS)
    back = time.monotonic()
    attempts = sum(village.endings.values()) - CLIENTS
    sockets = successor.total("sockets")
    scene.check(are_back and sockets == CLIENTS,
                f"killed and started again ({started - killed:.1f} s): all {CLIENTS} are back {back - started:.1f} s later, after {attempts} "
                f"attempts that failed", (village.open, sockets, village.endings))
    scene.check(village.tell(successor, number), "each of them hears what is published then, once")
    return successor
