"""Delay, loss and reordering: every message arrives once and in its publisher's order, echoes up to 1 MiB are whole."""
import random
import struct
import time

from crowd import Crowd, Member
from network import SERVER, Condition, Link

CONDITIONS = {
    "50 ms ± 20": Condition(delay=0.05, jitter=0.02),
    "1 % lost": Condition(delay=0.01, lost=0.01),
    "5 % lost": Condition(delay=0.01, lost=0.05),
    "a quarter overtakes": Condition(delay=0.02, jitter=0.01, ahead=0.25),
    "all of it, and doubled": Condition(delay=0.05, jitter=0.02, lost=0.03, ahead=0.1, doubled=0.02),
}
SUBSCRIBERS, PUBLISHES_A_SECOND = 4, 10  # for each of the conditions
EDGES = [1, 125, 126, 65_535, 65_536]
LARGEST, LARGE = 1 << 20, 1 << 16
NOISE = random.Random(1).randbytes(LARGEST + 4096)


class Echo(Member):
    """Two messages are under way at a time: of the lengths where frames change their form, then of any up to 64 KiB."""

    def __init__(self, lengths, generator):
        super().__init__()
        self.lengths, self.random = list(lengths), generator
        self.expected, self.echoes, self.bytes, self.wrong, self.goes_on = [], 0, 0, 0, True

    def opened(self):
        self.say()
        self.say()

    def say(self):
        length = self.lengths.pop() if self.lengths else int(LARGE ** self.random.random())
        start = self.random.randrange(4096)
        self.expected.append(NOISE[start:start + length])
        self.send(self.expected[-1])

    def message(self, payload):
        self.wrong += payload != self.expected.pop(0)
        self.echoes += 1
        self.bytes += len(payload)
        if self.goes_on or self.lengths:
            self.say()


class Publisher(Member):
    def __init__(self, index, generator):
        super().__init__()
        self.index, self.random, self.payloads = index, generator, []

    def publish(self):
        length = self.random.randrange(16, 512)
        payload = struct.pack("!HI", self.index, len(self.payloads)) + NOISE[:length]
        self.payloads.append(payload)
        self.send(payload)


class Subscriber(Member):
    def __init__(self, publishers):
        super().__init__()
        self.publishers, self.next, self.wrong = publishers, [0] * len(publishers), 0

    def message(self, payload):
        index, number = struct.unpack("!HI", payload[:6])
        self.wrong += number != self.next[index] or payload != self.publishers[index].payloads[number]
        self.next[index] += 1

    def has_all(self):
        return all(number == len(publisher.payloads) for number, publisher in zip(self.next, self.publishers))


def run(scene):
    with Link(len(CONDITIONS), scene.seed) as link, link.server_side, \
            scene.server("--open", host="0.0.0.0") as server:
        scene.check_driver(server.statistics())
        crowd = Crowd()
        echoes, publishers, subscribers = connect(scene, link, server, crowd)
        everyone = echoes + publishers + subscribers
        is_ready = crowd.run_until(lambda: all(member.is_open or member.is_over for member in everyone), 120)
        if not scene.check(is_ready and all(member.is_open for member in everyone), f"{len(everyone)} clients are there",
                           [member.ending for member in everyone if not member.is_open][:5]):
            return
        publish(crowd, publishers, scene.seconds)
        for echo in echoes:
            echo.goes_on = False

        def is_done():
            return all(subscriber.has_all() for subscriber in subscribers) and not any(echo.expected for echo in echoes)

        crowd.run_until(lambda: is_done() or any(member.is_over for member in everyone), 300)
        report(scene, link, echoes, publishers, subscribers)
        figures, published = server.statistics(), sum(len(publisher.payloads) for publisher in publishers)
        scene.check(figures["deliveries"]["total"] == published * len(subscribers),
                    f"/stats counts {published * len(subscribers)} deliveries", figures["deliveries"]["total"])
        crowd.close()


def connect(scene, link, server, crowd):
    echoes, subscribers = [], []
    publishers = [Publisher(index, scene.random) for index in range(len(CONDITIONS))]
    with link.client_side:
        for address, condition, publisher in zip(link.addresses, CONDITIONS.values(), publishers):
            link.set(address, condition)

            def join(member, path):
                return crowd.connect(member, server.port, path, SERVER, address)

            echoes += [join(Echo(lengths, scene.random), "/echo") for lengths in ([longest(scene, condition)], EDGES, EDGES)]
            subscribers += [join(Subscriber(publishers), "/topic/t") for _ in range(SUBSCRIBERS)]
            join(publisher, "/publish/t")
    return echoes, publishers, subscribers


def longest(scene, condition):
    """Of the echoes: TCP needs half a minute for a MiB there and back where much is lost, which a short run does not have."""
    return LARGEST if scene.seconds >= 10 or condition.lost < 0.02 else 2 * LARGE


def publish(crowd, publishers, seconds):
    started, done = time.monotonic(), 0
    while (elapsed := time.monotonic() - started) < seconds:
        while done < elapsed * PUBLISHES_A_SECOND:
            for publisher in publishers:
                publisher.publish()
            done += 1
        crowd.turn(0.02)


def report(scene, link, echoes, publishers, subscribers):
    for index, (name, condition) in enumerate(CONDITIONS.items()):
        counts = link.counts(link.addresses[index])
        own = echoes[index * 3:index * 3 + 3]
        listening = subscribers[index * SUBSCRIBERS:(index + 1) * SUBSCRIBERS]
        messages = sum(sum(subscriber.next) for subscriber in listening)
        wrong = sum(member.wrong + member.is_over for member in own + listening) + publishers[index].is_over
        unfinished = sum(bool(echo.expected) for echo in own) + sum(not subscriber.has_all() for subscriber in listening)
        happened = all(counts[key] for key in ("lost", "ahead", "doubled") if getattr(condition, key))
        scene.check(
            not wrong and not unfinished and happened,
            f"{name}: {sum(echo.echoes for echo in own)} echoes of {sum(echo.bytes for echo in own) / 1e6:.1f} MB are whole, the longest "
            f"of {longest(scene, condition)} bytes, {messages} "
            f"messages came once and in order; of {counts['packets']} packets {counts['lost']} were lost, {counts['ahead']} overtook, "
            f"{counts['doubled']} came twice", f"{wrong} wrong, {unfinished} did not get all, {dict(counts)}")
