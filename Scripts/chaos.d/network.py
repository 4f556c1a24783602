"""A network between a server and its clients that delays, loses, reorders and swallows packets: two namespaces, joined by a process that
carries packets from one tun device to the other.

It is not netem, which many kernels lack: it needs root and /dev/net/tun, knows what it has done to how many packets, and has other
conditions for each of the clients' addresses. Nothing of it outlives the processes that have it open, however they end.
"""
import collections
import contextlib
import ctypes
import fcntl
import heapq
import multiprocessing
import os
import random
import select
import signal
import socket
import struct
import threading
import time
import typing

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
IFF_UP, IFF_RUNNING = 0x1, 0x40
SERVER = "10.77.0.1"
libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent():
    """For a child: it is killed when the thread that started it ends, also by SIGKILL."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Namespace:
    """A network namespace without a name: it goes with the last that has it open. Inside `with`, what this thread opens is in it."""

    def __init__(self):
        made = []

        def make():
            try:
                checked(libc.unshare(CLONE_NEWNET))
                made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
            except OSError as error:
                made.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        self.descriptor, self.homes = made[0], []

    def __enter__(self):
        self.homes.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        checked(libc.setns(self.descriptor, CLONE_NEWNET))

    def __exit__(self, *_):
        home = self.homes.pop()
        checked(libc.setns(home, CLONE_NEWNET))
        os.close(home)

    def close(self):
        os.close(self.descriptor)

    def open_device(self, addresses):
        """A tun device with these addresses, as the descriptor of its far end."""
        with self, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"net", IFF_TUN | IFF_NO_PI))
            set_up(control, "lo", "127.0.0.1", "255.0.0.0")
            for index, address in enumerate(addresses):
                set_up(control, f"net:{index}" if index else "net", address, "255.255.0.0")
        return device

    def tcp_sockets(self):
        """What the kernel has: sockets in use, and those that no descriptor belongs to any more."""
        with self, open("/proc/thread-self/net/sockstat") as figures:
            words = next(line for line in figures if line.startswith("TCP:")).split()
        return {"in use": int(words[2]), "orphans": int(words[4])}


def set_up(control, name, address, mask):
    for request, value in [(SIOCSIFADDR, address), (SIOCSIFNETMASK, mask)]:
        field = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
        fcntl.ioctl(control, request, name.encode().ljust(16, b"\0") + field + bytes(8))
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), IFF_UP | IFF_RUNNING))


class Condition(typing.NamedTuple):
    """Of a client's packets, both ways: times in seconds, shares from 0 to 1."""

    delay: float = 0
    jitter: float = 0  # evenly around the delay; it reorders nothing
    lost: float = 0
    ahead: float = 0  # overtakes those that are on their way
    doubled: float = 0
    to_server: bool = True  # whether anything passes
    to_client: bool = True


class Carrier:
    """The process in the middle."""

    def __init__(self, devices, control, seed):
        self.devices, self.control = devices, control  # the server's side, the clients' side
        self.random = random.Random(seed)
        self.conditions = collections.defaultdict(Condition)
        self.counts = collections.defaultdict(collections.Counter)
        self.waiting, self.number = [], 0
        self.last_due = collections.defaultdict(float)

    def run(self):
        poll = select.epoll()
        for descriptor in [*self.devices, self.control.fileno()]:
            poll.register(descriptor, select.EPOLLIN)
        while True:
            wait = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1
            for descriptor, _ in poll.poll(wait):
                if descriptor == self.control.fileno():
                    self.obey()
                else:
                    self.take(self.devices.index(descriptor))
            self.deliver()

    def obey(self):
        order = self.control.recv()
        if order:
            self.conditions[order[0]] = order[1]
        self.control.send({address: dict(counts) for address, counts in self.counts.items()})

    def take(self, side):
        for _ in range(64):
            try:
                packet = os.read(self.devices[side], 65536)
            except BlockingIOError:
                return
            if packet[0] >> 4 == 4:
                self.accept(packet, side)

    def accept(self, packet, side):
        client = packet[16:20] if side == 0 else packet[12:16]
        condition, counts = self.conditions[client], self.counts[client]
        counts["packets"] += 1
        if not (condition.to_client if side == 0 else condition.to_server):
            counts["swallowed"] += 1
            return
        if condition.lost and self.random.random() < condition.lost:
            counts["lost"] += 1
            return
        now = time.monotonic()
        due = now + condition.delay + condition.jitter * self.random.uniform(-1, 1)
        if condition.ahead and self.random.random() < condition.ahead:
            due = now
            counts["ahead"] += self.last_due[client, side] > now
        else:
            due = self.last_due[client, side] = max(due, self.last_due[client, side])
        copies = 1
        if condition.doubled and self.random.random() < condition.doubled:
            copies = 2
            counts["doubled"] += 1
        for _ in range(copies):
            self.number += 1
            heapq.heappush(self.waiting, (due, self.number, 1 - side, packet))

    def deliver(self):
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, side, packet = heapq.heappop(self.waiting)
            with contextlib.suppress(OSError):  # a full device loses packets, as networks do
                os.write(self.devices[side], packet)


def carry(devices, control, seed):
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Carrier(devices, control, seed).run()


class Link:
    """Both namespaces, for the time of a `with` block. `clients` addresses are on the clients' side."""

    def __init__(self, clients, seed):
        self.addresses = [f"10.77.1.{index + 1}" for index in range(clients)]
        self.seed = seed

    def __enter__(self):
        self.server_side, self.client_side = Namespace(), Namespace()
        devices = [self.server_side.open_device([SERVER]), self.client_side.open_device(self.addresses)]
        self.control, far = multiprocessing.Pipe()
        self.carrier = multiprocessing.get_context("fork").Process(target=carry, args=(devices, far, self.seed))
        self.carrier.start()
        for device in devices:
            os.close(device)
        far.close()
        return self

    def __exit__(self, *_):
        self.carrier.kill()
        self.carrier.join()
        self.server_side.close()
        self.client_side.close()

    def set(self, address, condition):
        self.control.send((socket.inet_aton(address), condition))
        self.control.recv()

    def counts(self, address):
        self.control.send(None)
        return collections.Counter(self.control.recv().get(socket.inet_aton(address), {}))


def objection():
    """Why there can be no such network, or nothing."""
    try:
        with Link(1, 0):
            return None
    except OSError as error:
        return f"namespaces and /dev/net/tun are for root ({error.strerror})"
