"""What every part of Scripts/chaos is given: the driver, how long to keep a load up, and checks that name the part."""
import os
import pathlib
import random
import socket
import time

import harness

PREFIX = ["setpriv", "--pdeathsig", "KILL"]  # a server outlives nothing that started it
# Short segments keep the kernel's buffers short: what is not read waits in the server.
SMALL_BUFFERS = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096), (socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)]
NAMES = {"uring": "io_uring", "epoll": "epoll"}


class Scene:
    def __init__(self, part, driver, seconds, seed, checks):
        self.part, self.driver, self.seconds, self.seed, self.checks = part, driver, seconds, seed, checks
        self.random = random.Random(seed)

    def check(self, holds, sentence, detail=""):
        return self.checks.check(holds, f"{self.part}, {self.driver}: {sentence}", detail)

    def server(self, *options, prefix=(), **settings):
        return harness.Server("--driver", self.driver, *options, prefix=[*PREFIX, *prefix], **settings)

    def check_driver(self, statistics):
        if statistics["driver"] != NAMES[self.driver]:
            self.check(False, "this is the driver that was asked for", statistics["driver"])


def process_seconds(server):
    """CPU of the process, also of threads that have ended, to the hundredth."""
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors_at_rest(server):
    """How many it has open without clients: when all loops have started, which is after the first of them listens."""
    server.statistics()
    last = None
    while (now := server.descriptors()) != last:
        last = now
        time.sleep(0.5)
    return now


def drops(statistics):
    return sum(reason["total"] for reason in statistics["drops"].values())


def wait_for(condition, seconds=60):
    """Whether it came true; the bound is there for hanging."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return holds
