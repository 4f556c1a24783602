"""More clients than fit into memory, under bounds that were chosen for it: all of those within take as much as they may, and the
process stays within its limit (RLIMIT_AS), serves the well and is as before when the greedy have left."""
import collections
import pathlib
import resource
import struct

import audience
from crowd import Crowd, Echoing, Member, all_echo
from scene import SMALL_BUFFERS, drops, wait_for

MIB = 1 << 20
ROOM = 96 * MIB  # beyond what it has at rest
CONNECTIONS, CLIENTS, WELL = 200, 400, 20
PAYLOAD, BACKLOG = 65_536, 65_536
OPTIONS = ["--max-connections", str(CONNECTIONS), "--max-payload", str(PAYLOAD), "--backpressure-limit", str(BACKLOG)]


class Greedy(Member):
    """Sends nearly all of the longest message that it may, and reads nothing of what it has subscribed to."""

    def opened(self):
        self.reads = False
        self.outgoing += struct.pack("!BBQ", 0x82, 0x80 | 127, PAYLOAD) + bytes(4 + PAYLOAD - 1)
        self.crowd.flush(self)


def virtual_bytes(server, figure):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return int(status.split(f"{figure}:")[1].split()[0]) * 1024


def statistics(server):
    """They take a connection too, and get 503 until the server has noticed that somebody has left."""
    told = []

    def ask():
        try:
            told.append(server.statistics())
        except OSError:
            return not server.alive
        return True

    wait_for(ask)
    return told[0] if told else None


def run(scene):
    with scene.server(*OPTIONS) as server:
        scene.check_driver(server.statistics())
        crowd = Crowd()
        publisher = audience.Publisher(server.port, "/publish/t", 4_096)
        well = [crowd.connect(Echoing(), server.port, "/echo") for _ in range(WELL)]
        crowd.run_until(lambda: all(member.is_open for member in well))
        all_echo(crowd, well, bytes(PAYLOAD))
        before = virtual_bytes(server, "VmSize")
        resource.prlimit(server.pid, resource.RLIMIT_AS, (before + ROOM, before + ROOM))
        greedy = [crowd.connect(Greedy(), server.port, "/topic/t", options=SMALL_BUFFERS) for _ in range(CLIENTS)]
        is_settled = crowd.run_until(lambda: all(member.is_open or member.is_over for member in greedy))
        within = [member for member in greedy if member.is_open]
        endings = collections.Counter(member.ending for member in greedy if member.is_over)
        scene.check(is_settled and len(within) >= CONNECTIONS - WELL - 3 and set(endings) == {"HTTP 503"},
                    f"{CLIENTS} greedy clients come: {len(within)} fit into the bound of {CONNECTIONS}, {endings['HTTP 503']} are told 503",
                    (len(within), endings))
        crowd.leave(within[0], "left")  # /stats is a connection too
        fill(scene, server, crowd, publisher, well, before)
        for member in within:
            crowd.leave(member, "left")
        recover(scene, server, crowd, publisher, well)


def fill(scene, server, crowd, publisher, well, before):
    """Publishes until each message is a drop at nearly everybody."""
    told, dropped = True, 0
    while told and dropped < 20 * (CONNECTIONS - WELL) and publisher.published < 1_000:
        publisher.publish(20)
        crowd.run(0.1)
        told = statistics(server)
        dropped = drops(told) if told else 0
    is_well = server.alive and all_echo(crowd, well, bytes(PAYLOAD))
    grown = virtual_bytes(server, "VmPeak") - before if server.alive else 0
    scene.check(is_well and dropped, f"all at their bounds ({publisher.published} messages, {dropped} dropped), it has taken "
                                     f"{grown / MIB:.0f} of the {ROOM / MIB:.0f} MiB, and {WELL} others are served", server.errors()[-300:])


def recover(scene, server, crowd, publisher, well):
    is_empty = wait_for(lambda: not server.alive or statistics(server)["connections"]["total"] <= WELL + 2) and server.alive
    newcomers = [crowd.connect(Echoing(), server.port, "/echo") for _ in range(CONNECTIONS - WELL - 10)] if is_empty else []
    crowd.run_until(lambda: all(member.is_open or member.is_over for member in newcomers))
    scene.check(is_empty and all_echo(crowd, newcomers + well, bytes(PAYLOAD)),
                f"when they have left, {len(newcomers)} others are served with messages of {PAYLOAD} bytes", server.errors()[-300:])
    publisher.close()
    crowd.close()
