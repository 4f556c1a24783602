"""Topics that remember: clients that are cut off at any byte and come back get each message once and in order.

A reader knows what it has to hear: the offsets of its topic from 1 on, without a gap, in whichever connection they come, and each
publisher's messages in order: those of a socket, which its loop publishes, and those of POST requests, which other threads do. In the
end all of them stand at what was published.
"""
import heapq
import json
import re
import time

from bad_network import CONDITIONS
from crowd import Crowd, Member
from hearing import Reader
from network import SERVER, Link

TOPICS, READERS, PUBLISHES_A_SECOND = 20, 2_000, 2  # publishes to each of the topics, by each of its two publishers
NETWORK_READERS = 200
CUT_A_SECOND = 0.05  # of the readers: each is cut off every twenty seconds
AWAY = 2  # seconds, at most


class ReturningReader(Reader):
    """Somebody who has heard a topic up to an offset, whatever becomes of the connections."""

    def __init__(self, topic):
        super().__init__(topic)
        self.connections = 0
        self.counts = {"socket": 0, "thread": 0}  # the newest message of each publisher

    def hear(self, epoch, offset, message):
        if offset != self.offset + 1 or self.epoch not in (0, epoch):
            self.wrong.append(f"{epoch}.{offset} behind {self.epoch}.{self.offset}")
        publisher, number = message["by"], message["n"]
        if number != self.counts[publisher] + 1:
            self.wrong.append(f"{number} of the {publisher} behind {self.counts[publisher]}")
        self.counts[publisher] = number


class Connection(Member):
    def __init__(self, reader, scene):
        super().__init__()
        self.reader, self.scene = reader, scene

    def message(self, payload):
        self.reader.take(json.loads(payload))


class Publisher(Member):
    def __init__(self):
        super().__init__()
        self.count = 0

    def publish(self):
        self.count += 1
        self.control(0x81, b'{"by":"socket","n":%d}' % self.count)


class Poster(Member):
    """Publishes by HTTP, and so from threads of the server that are no loops."""
    ANSWER = re.compile(rb'\{"result":"(\w+)"\}\n')

    def __init__(self):
        super().__init__()
        self.is_open, self.count, self.results = True, 0, []

    def greeting(self, port, path):
        self.head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: ".encode()
        return b""

    def publish(self):
        self.count += 1
        body = b'{"by":"thread","n":%d}' % self.count
        self.outgoing += self.head + b"%d\r\n\r\n" % len(body) + body
        self.crowd.flush(self)

    def received(self, piece):
        self.incoming += piece
        end = 0
        for found in self.ANSWER.finditer(self.incoming):
            self.results.append(found[1].decode())
            end = found.end()
        del self.incoming[:end]


class Readers:
    """All readers: who is cut off, and who comes back when."""

    def __init__(self, scene, crowd, readers, connect):
        self.scene, self.crowd, self.readers, self.connect = scene, crowd, readers, connect
        self.away = []  # a heap of (when, index)

    def begin(self):
        for index in range(len(self.readers)):
            self.come(index)

    def come(self, index):
        reader = self.readers[index]
        reader.connections += 1
        reader.member = self.connect(Connection(reader, self.scene), index, reader.path())

    def cut(self, count):
        for _ in range(count):
            index = self.scene.random.randrange(len(self.readers))
            member = self.readers[index].member
            if not member.is_over:
                # What was received in part goes with it.
                self.crowd.leave(member, "cut")
                heapq.heappush(self.away, (time.monotonic() + AWAY * self.scene.random.random(), index))

    def come_back(self, everybody=False):
        now = time.monotonic()
        while self.away and (everybody or self.away[0][0] <= now):
            self.come(heapq.heappop(self.away)[1])
        # A connection that ended by itself, in a network that loses much.
        for index, reader in enumerate(self.readers):
            if reader.member.is_over and not any(other == index for _, other in self.away):
                self.come(index)


def run(scene):
    with scene.server(*options(), loops=2) as server:
        scene.check_driver(server.statistics())
        crowd = Crowd()
        publishers = [crowd.connect(kind(), server.port, f"/publish/{topic}")
                      for topic in range(TOPICS) for kind in (Publisher, Poster)]

        def connect(member, index, path):
            return crowd.connect(member, server.port, path)

        play(scene, server, crowd, publishers, READERS, connect)


def run_in_network(scene):
    with Link(len(CONDITIONS), scene.seed) as link, link.server_side, \
            scene.server("--open", *options(), host="0.0.0.0", loops=2) as server:
        scene.check_driver(server.statistics())
        crowd = Crowd()
        with link.client_side:
            for address, condition in zip(link.addresses, CONDITIONS.values()):
                link.set(address, condition)
            publishers = [crowd.connect(kind(), server.port, f"/publish/{topic}", SERVER, link.addresses[0])
                          for topic in range(TOPICS) for kind in (Publisher, Poster)]

        def connect(member, index, path):
            with link.client_side:
                return crowd.connect(member, server.port, path, SERVER, link.addresses[index % len(link.addresses)])

        play(scene, server, crowd, publishers, NETWORK_READERS, connect)


def options():
    return "--history", "topic/*=5000", "--stamp", "json", "--idle-timeout", "0"


def play(scene, server, crowd, publishers, count, connect):
    readers = [ReturningReader(index % TOPICS) for index in range(count)]
    everybody = Readers(scene, crowd, readers, connect)
    everybody.begin()
    ready = crowd.run_until(lambda: all(reader.member.is_open for reader in readers)
                            and all(publisher.is_open for publisher in publishers), 120)
    if not scene.check(ready, f"{count} readers of {TOPICS} topics are there"):
        return
    started, published, cut = time.monotonic(), 0, 0
    while (elapsed := time.monotonic() - started) < scene.seconds:
        while published < elapsed * PUBLISHES_A_SECOND:
            for publisher in publishers:
                publisher.publish()
            published += 1
        due = int(elapsed * CUT_A_SECOND * count)
        everybody.cut(due - cut)
        cut = due
        everybody.come_back()
        crowd.turn(0.02)
    everybody.come_back(everybody=True)

    def is_done():
        everybody.come_back()
        return all(reader.offset == 2 * published for reader in readers) or any(reader.wrong for reader in readers)

    crowd.run_until(is_done, 120)
    posters = [publisher for publisher in publishers if isinstance(publisher, Poster)]
    refused = sum(poster.count - len(poster.results) + poster.results.count("dropped") for poster in posters)
    scene.check(not refused, f"{sum(poster.count for poster in posters)} messages were taken by POST", refused)
    report(scene, server, readers, 2 * published)
    crowd.close()


def report(scene, server, readers, published):
    wrong = [text for reader in readers for text in reader.wrong]
    behind = sum(reader.offset != published for reader in readers)
    gaps = sum(reader.gaps for reader in readers)
    scene.check(
        not wrong and not behind and not gaps,
        f"{len(readers)} readers over {sum(reader.connections for reader in readers)} connections heard {published} messages of each of "
        f"{TOPICS} topics, each once and in order, {sum(reader.replayed for reader in readers)} of them when they came back",
        f"{len(wrong)} wrong, such as {wrong[:3]}, {behind} did not hear all, {gaps} gaps")
    drops = server.statistics()["drops"]
    scene.check(not any(value["total"] for name, value in drops.items() if name != "closed"), "nothing was dropped at those that were there",
                drops)
