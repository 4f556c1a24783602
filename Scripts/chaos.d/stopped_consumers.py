"""100 of 1,000 consumers are stopped (SIGSTOP) for ten seconds or more while messages are published: each message comes in order
or is counted as dropped, at every one of them."""
import multiprocessing
import os
import signal
import time

import audience
from crowd import Crowd, Listening
from network import end_with_parent
from scene import SMALL_BUFFERS, drops, wait_for

STOPPED, RUNNING = (10, 10), (9, 100)  # processes, and clients of each
PAUSE = 10
SIZE, A_SECOND, LIMIT = 2_048, 25, 65_536


def consume(port, count, options, pipe):
    """A process of consumers. It tells its figures whenever it is asked for them."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    crowd = Crowd()
    members = [crowd.connect(Listening(), port, "/topic/t", options=options) for _ in range(count)]
    while True:
        crowd.turn(0.02)
        if pipe.poll():
            pipe.recv()
            pipe.send([(member.is_open, member.received_count, member.missing, member.next, member.wrong) for member in members])


class Consumers:
    def __init__(self, port, count, options=()):
        self.pipe, far = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=consume, args=(port, count, options, far), daemon=True)
        self.process.start()
        far.close()

    def figures(self):
        self.pipe.send("figures")
        return self.pipe.recv()

    def signal(self, number):
        os.kill(self.process.pid, number)

    def end(self):
        self.process.kill()
        self.process.join()


def run(scene):
    policies = ["drop-newest"] if scene.seconds < 15 else ["drop-newest", "drop-oldest", "latest"]
    for policy in policies:
        with scene.server("--backpressure-limit", str(LIMIT), "--slow-consumer", policy) as server:
            scene.check_driver(server.statistics())
            stopped = [Consumers(server.port, STOPPED[1], SMALL_BUFFERS) for _ in range(STOPPED[0])]
            running = [Consumers(server.port, RUNNING[1]) for _ in range(RUNNING[0])]
            try:
                under_publishes(scene, server, policy, stopped, running)
            finally:
                for consumers in stopped + running:
                    consumers.end()


def under_publishes(scene, server, policy, stopped, running):
    total = STOPPED[0] * STOPPED[1] + RUNNING[0] * RUNNING[1]
    if not scene.check(wait_for(lambda: server.total("sockets") == total, 120), f"{policy}: {total} consumers are there", server.total("sockets")):
        return
    publisher = audience.Publisher(server.port, "/publish/t", SIZE)
    publish(publisher, 1)
    for consumers in stopped:
        consumers.signal(signal.SIGSTOP)
    publish(publisher, PAUSE)
    # How much the kernel takes for those who do not read differs from machine to machine.
    given_up = time.monotonic() + 120
    while not (dropped := drops(server.statistics())) and time.monotonic() < given_up:
        publish(publisher, 1)
    for consumers in stopped:
        consumers.signal(signal.SIGCONT)
    publish(publisher, 2)
    judge(scene, server, policy, stopped, running, publisher.published * total, dropped)
    publisher.close()


def publish(publisher, seconds):
    started, first = time.monotonic(), publisher.published
    while (elapsed := time.monotonic() - started) < seconds:
        if publisher.published - first < elapsed * A_SECOND:
            publisher.publish(1)
        time.sleep(0.005)


def judge(scene, server, policy, stopped, running, offered, dropped_in_pause):
    def received():
        return sum(figures[1] for consumers in stopped + running for figures in consumers.figures())

    def is_settled():
        statistics = server.statistics()
        return statistics["deliveries"]["total"] + drops(statistics) == offered and received() == statistics["deliveries"]["total"]

    wait_for(is_settled)
    statistics = server.statistics()
    delivered, dropped, got = statistics["deliveries"]["total"], drops(statistics), received()
    scene.check(delivered + dropped == offered and got == delivered and dropped_in_pause > 0,
                f"{policy}: {offered} messages offered = {got} received + {dropped} dropped, {dropped_in_pause} of these while "
                f"{STOPPED[0] * STOPPED[1]} consumers stood still for {PAUSE} s or more", f"/stats says {delivered} delivered")
    slow = [figures for consumers in stopped for figures in consumers.figures()]
    well = [figures for consumers in running for figures in consumers.figures()]
    bad = sum(wrong for *_, wrong in slow + well) + sum(not is_open for is_open, *_ in slow + well)
    scene.check(bad == 0, f"{policy}: each of the {len(slow) + len(well)} is still connected and got what it got whole, in order and once", bad)
    published = offered // (len(slow) + len(well))
    lost = sum(published - count for _, count, *_ in slow)
    lost_by_others = sum(published - count for _, count, *_ in well)
    scene.check(lost + lost_by_others == dropped,
                f"{policy}: the dropped ones are what those that stood still missed ({lost}) and the others did ({lost_by_others})", dropped)
