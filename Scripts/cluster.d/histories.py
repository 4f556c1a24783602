"""Readers of topics with history, who go on at another node when theirs is gone.

A reader knows what it has to hear: the offsets of its topic from 1 on, without a gap, of whichever node and in whichever connection, and of
each publisher its numbers from 0 on.
"""
import json
import time

import harness
from crowd import Member
from engines import NATS, Redis
from hearing import Reader
from nodes import Cluster

TOPICS = 10
OPTIONS = "--history", "topic/*=5000", "--stamp", "json", "--idle-timeout", "0"


class KeepingRedis(Redis):
    """Has on its disk what it has answered, so that a process that is killed loses nothing."""

    def command(self):
        return [*super().command()[:-2], "--appendonly", "yes", "--appendfsync", "always"]


class KeepingNATS(NATS):
    """With JetStream, whose files have what it has answered when its process is killed."""

    def command(self):
        return [*super().command(), "-js", "-sd", self.folder.name]


KEEPING = {"redis": KeepingRedis, "nats": KeepingNATS}


class NodeReader(Reader):
    def __init__(self, topic, node):
        super().__init__(topic)
        self.node, self.heard = node, {}

    def hear(self, epoch, offset, message):
        name, number = message["p"], message["n"]
        if offset != self.offset + 1 or number != self.heard.get(name, -1) + 1:
            self.wrong.append(f"{epoch}.{offset}: {name} {number} behind {self.epoch}.{self.offset}: {self.heard.get(name)}")
        self.heard[name] = number


class Connection(Member):
    def __init__(self, reader):
        super().__init__()
        self.reader = reader

    def message(self, payload):
        self.reader.take(json.loads(payload))


class Author(Member):
    def __init__(self, name, topic, node, count=0):
        super().__init__()
        self.name, self.topic, self.node, self.count = name, topic, node, count
        self.is_silent = False

    def publish(self):
        self.control(0x81, b'{"p":%d,"n":%d}' % (self.name, self.count))
        self.count += 1


class Library(Cluster):
    """Three nodes whose topics remember, their readers and authors."""

    def __init__(self, url):
        self.readers, self.authors, self.said_before = [], [], {}
        super().__init__(url)
        self.servers = [harness.Server("--cluster", url, *OPTIONS) for _ in range(3)]

    def read(self, count, node):
        for index in range(count):
            self.readers.append(NodeReader(index % TOPICS, node))
        self.come_back([node])

    def write(self, nodes=(0, 1)):
        self.authors = [self.seat(Author(node * TOPICS + topic, topic, node)) for node in nodes for topic in range(TOPICS)]
        return self.until(lambda: all(author.is_open for author in self.authors))

    def seat(self, author):
        return self.crowd.connect(author, self.servers[author.node].port, f"/publish/{author.topic}")

    def restart(self, node):
        """Stops a node as soon as it has read what its authors have said, and starts it again, while those of the others go on.

        Returns its exit code, and how many messages were published meanwhile."""
        server, others = self.servers[node], [other for other in range(len(self.servers)) if other != node]
        before = sum(author.count for author in self.authors)
        for author in self.authors:
            author.is_silent = author.node == node
        said = sum(author.count for author in self.authors if author.node == node) - self.said_before.get(node, 0)
        self.until(lambda: server.statistics()["cluster"]["published"] >= said)
        server.process.terminate()
        end = time.monotonic() + 60
        while server.alive and time.monotonic() < end:
            self.drive(1, others)
        code = server.process.poll()
        server.stop()
        server.__enter__()
        self.said_before[node] = sum(author.count for author in self.authors if author.node == node)
        self.authors = [
            self.seat(Author(author.name, author.topic, node, author.count)) if author.node == node else author for author in self.authors]
        self.until(lambda: all(author.is_open for author in self.authors))
        self.drive(10, [node])
        return code, sum(author.count for author in self.authors) - before

    def come_back(self, nodes):
        """Has each reader without a connection come to one of these nodes, by turns, with the position that it has."""
        for index, reader in enumerate(self.readers):
            if reader.member is None or reader.member.is_over:
                reader.node = nodes[index % len(nodes)]
                reader.member = self.crowd.connect(Connection(reader), self.servers[reader.node].port, reader.path())

    def drive(self, rounds, nodes, seconds=0.02):
        for _ in range(rounds):
            for author in self.authors:
                if not author.is_silent:
                    author.publish()
            self.come_back(nodes)
            self.crowd.run(seconds)

    def published(self, topic):
        return sum(author.count for author in self.authors if author.topic == topic)

    def is_read(self, nodes):
        self.come_back(nodes)
        return all(reader.offset == self.published(reader.topic) for reader in self.readers)

    def check(self, checks, nodes, when):
        came = self.until(lambda: self.is_read(nodes), 120)
        wrong = [line for reader in self.readers for line in reader.wrong]
        behind = [f"{reader.offset} of {self.published(reader.topic)} on node {reader.node}" for reader in self.readers
                  if reader.offset != self.published(reader.topic)]
        gaps = sum(reader.gaps for reader in self.readers)
        told = [server.statistics()["cluster"]["history_gaps"] for server in self.servers if server.alive]
        replayed = sum(reader.replayed for reader in self.readers)
        total = sum(self.published(topic) for topic in range(TOPICS))
        checks.check(
            came and not wrong and not gaps and not any(told),
            f"{when}: {len(self.readers)} readers have all {total} messages of {TOPICS} topics, once and in order, {replayed} of them "
            "by resuming",
            f"{len(wrong)} wrong {wrong[:3]}, {len(behind)} behind {behind[:3]}, {gaps} gaps, told {told}")
