"""Several `ringcast serve` of one cluster, their subscribers and publishers.

A publisher numbers its messages "PUBLISHER NUMBER"; a subscriber knows of each publisher which number it heard last, so that it notices
what comes twice, out of order, or not at all.
"""
import contextlib

import harness
from crowd import Crowd, Member


class Subscriber(Member):
    def __init__(self, node):
        super().__init__()
        self.node = node
        self.heard, self.count, self.missing, self.wrong = {}, 0, 0, []
        self.probes = 0  # messages that were only to show that some come

    def message(self, payload):
        publisher, number = map(int, payload.split())
        if publisher < 0:
            self.probes += 1
            return
        before = self.heard.get(publisher, -1)
        if number <= before:
            self.wrong.append(f"{publisher}: {number} behind {before}")
            return
        self.missing += number - before - 1
        self.heard[publisher] = number
        self.count += 1


class Publisher(Member):
    def __init__(self, name, node):
        super().__init__()
        self.name, self.node, self.count = name, node, 0

    def publish(self, count=1):
        for _ in range(count):
            self.control(0x81, b"%d %d" % (self.name, self.count))
            self.count += 1


class Cluster:
    """Three nodes over one engine, for the time of a `with` block."""

    def __init__(self, url, nodes=3, loops=2):
        self.stack, self.crowd = contextlib.ExitStack(), Crowd()
        self.servers = [harness.Server("--cluster", url, loops=loops) for _ in range(nodes)]

    def __enter__(self):
        for server in self.servers:
            self.stack.enter_context(server)
        return self

    def __exit__(self, *details):
        self.crowd.close()
        return self.stack.__exit__(*details)

    def until(self, condition, seconds=60):
        return self.crowd.run_until(condition, seconds)

    def figure(self, name):
        """A figure of /stats about the cluster, of each node."""
        return [server.statistics()["cluster"][name] for server in self.servers]

    def is_connected(self):
        return all(self.figure("connected"))

    def subscribe(self, topic, count):
        """So many subscribers, by turns on each node; returns when every node's engine knows of them."""
        subscribers = []
        for index in range(count):
            node = index % len(self.servers)
            subscribers.append(self.crowd.connect(Subscriber(node), self.servers[node].port, f"/topic/{topic}"))
        self.until(lambda: all(subscriber.is_open for subscriber in subscribers))
        return subscribers

    def publishers(self, topic, count=1):
        publishers = []
        for index in range(count * len(self.servers)):
            node = index % len(self.servers)
            publishers.append(self.crowd.connect(Publisher(index, node), self.servers[node].port, f"/publish/{topic}"))
        self.until(lambda: all(publisher.is_open for publisher in publishers))
        return publishers

    def settle(self, topic):
        """Returns when what one node publishes to a topic reaches all others: their engine knows of their interest."""
        probes = self.subscribe(topic, len(self.servers))
        publisher = Publisher(-1, 0)
        self.crowd.connect(publisher, self.servers[0].port, f"/publish/{topic}")

        def is_settled():
            if publisher.is_open:
                publisher.publish()
            return all(probe.probes for probe in probes)

        settled = self.until(is_settled)
        for member in [*probes, publisher]:
            self.crowd.leave(member, "closed")
        return settled
