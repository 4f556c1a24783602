"""More clients than there are descriptors: those within are served, the others wait or are told, and come in when there is room; a
server that is full does nothing about it but wait."""
import collections

from crowd import Crowd, Echoing, all_echo
from scene import descriptors_at_rest, process_seconds, wait_for

LIMIT, CLIENTS = 200, 400


def run(scene):
    with scene.server(prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"]) as server:
        before = descriptors_at_rest(server)
        crowd = Crowd()
        members = [crowd.connect(Echoing(), server.port, "/echo") for _ in range(CLIENTS)]
        settle(crowd, members)
        served, refused, waiting = sort(members)
        scene.check(len(served) >= LIMIT / 2 and len(served) + len(refused) + len(waiting) == CLIENTS and not strange(refused),
                    f"of {CLIENTS} clients {len(served)} are served with {LIMIT} descriptors, {len(refused)} are told 503, {len(waiting)} wait",
                    endings(refused))
        cpu = process_seconds(server)
        seconds = max(3, min(scene.seconds, 10))
        crowd.run(seconds)
        used = process_seconds(server) - cpu
        scene.check(used < seconds / 10, f"full for {seconds:.0f} s, it uses {used * 1e3:.0f} ms of CPU", used)
        scene.check(all_echo(crowd, served), "those within are served all the while")
        come_in(scene, crowd, served, waiting)
        for member in members:
            crowd.leave(member, "closed")
        is_empty = wait_for(lambda: server.alive and is_free(server, before))
        newcomers = [crowd.connect(Echoing(), server.port, "/echo") for _ in range(100)]
        crowd.run_until(lambda: all(member.is_open or member.is_over for member in newcomers))
        scene.check(is_empty and all_echo(crowd, newcomers), "with all gone 100 others are served, and no descriptor is left behind",
                    (server.descriptors(), before, endings(newcomers)))
        scene.check_driver(server.statistics())
        crowd.close()


def settle(crowd, members):
    """Until nothing has changed for two seconds."""
    last = None
    while (now := tuple(map(len, sort(members)))) != last:
        last = now
        crowd.run(2)


def sort(members):
    served = [member for member in members if member.is_open]
    refused = [member for member in members if member.is_over]
    return served, refused, [member for member in members if not member.is_open and not member.is_over]


def strange(refused):
    return [member for member in refused if member.status != "503"]


def endings(members):
    return dict(collections.Counter(member.ending for member in members))


def come_in(scene, crowd, served, waiting):
    """Half of those within leave."""
    leaving = served[:len(served) // 2]
    for member in leaving:
        crowd.leave(member, "closed")
    expected = min(len(leaving), len(waiting))
    came = crowd.run_until(lambda: sum(member.is_open or member.is_over for member in waiting) >= expected)
    now_in = [member for member in waiting if member.is_open]
    is_good = came and not strange(member for member in waiting if member.is_over) and all_echo(crowd, now_in + served[len(leaving):])
    scene.check(is_good, f"{len(leaving)} leave: {len(now_in)} of those that waited come in, and everybody is served", endings(waiting))


def is_free(server, before):
    try:
        return server.statistics()["sockets"]["total"] == 0 and server.descriptors() <= before
    except OSError:
        return False
