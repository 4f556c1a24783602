"""Links that are cut: one for a while loses nothing; of one that stays cut, both ways or one, the server is rid within its idle time,
with all that the connections held; a peer that has forgotten its connection is noticed before."""
import collections
import time

import audience
from crowd import Crowd, Echoing, Listening, all_echo
from network import SERVER, Condition, Link
from scene import descriptors_at_rest, wait_for

IDLE, SHORT = 8, 2.5
EACH = 20
NOTHING = Condition(to_server=False, to_client=False)
CUTS = {
    "well": None,
    "cut for a while": NOTHING,
    "cut": NOTHING,
    "cut, nothing waits": NOTHING,
    "hears nothing": Condition(to_client=False),
    "is not heard": Condition(to_server=False),
    "has forgotten": NOTHING,
}
STAYS_CUT = list(CUTS)[2:6]


class Group:
    def __init__(self, address, condition, members):
        self.address, self.condition, self.members = address, condition, members


def run(scene):
    with Link(len(CUTS), scene.seed) as link, link.server_side, \
            scene.server("--open", "--idle-timeout", str(IDLE), host="0.0.0.0") as server:
        scene.check_driver(server.statistics())
        before = descriptors_at_rest(server), link.server_side.tcp_sockets()["in use"]
        crowd, groups = Crowd(), {}
        with link.client_side:
            for (name, condition), address in zip(CUTS.items(), link.addresses):
                members = [connect(crowd, server, address, name) for _ in range(EACH)]
                groups[name] = Group(address, condition, members)
        everyone = [member for group in groups.values() for member in group.members]
        crowd.run_until(lambda: all(member.is_open for member in everyone))
        publisher = audience.Publisher(server.port, "/publish/t", 100)
        cut(scene, link, server, crowd, groups, publisher)
        after_the_cut(scene, link, server, crowd, groups)
        publisher.close()
        crowd.close()
        is_back = wait_for(lambda: server.total("sockets") == 0 and server.descriptors() <= before[0]
                           and link.server_side.tcp_sockets()["in use"] <= before[1] + 1)
        kernel = link.server_side.tcp_sockets()
        scene.check(is_back, f"with all gone, {server.descriptors()} descriptors are open, as at the start, and the kernel has "
                             f"{kernel['in use']} sockets in use", f"{before} before, {kernel}, {server.total('sockets')} sockets")


def connect(crowd, server, address, name):
    is_quiet = name in ("cut, nothing waits", "hears nothing")
    return crowd.connect(Echoing() if is_quiet else Listening(), server.port, "/echo" if is_quiet else "/topic/t", SERVER, address)


def cut(scene, link, server, crowd, groups, publisher):
    """Cuts all but the first, publishes all the while, and waits until the server has given up those that stay cut."""
    survivors = 2 * EACH + 1  # the publisher too
    for group in groups.values():
        if group.condition:
            link.set(group.address, group.condition)
    started, left, last = time.monotonic(), {}, 0
    forgetful = groups["has forgotten"]
    while (elapsed := time.monotonic() - started) < 6 * IDLE:
        if elapsed > last + 0.1:
            last = elapsed
            publisher.publish(1)
            for member in groups["hears nothing"].members:
                member.say(b"is there anybody?")
            sockets = server.total("sockets")
            left.setdefault(sockets, elapsed)
            if sockets == survivors and elapsed > IDLE:
                break
        if elapsed > 1 and not forgetful.members[0].is_over:
            for member in forgetful.members:
                reset(crowd, member)
            link.set(forgetful.address, Condition())
        if elapsed > SHORT and groups["cut for a while"].condition:
            link.set(groups["cut for a while"].address, Condition())
            groups["cut for a while"].condition = None
        crowd.turn(0.02)
    check_times(scene, left, survivors)


def reset(crowd, member):
    """Gone without a trace, while nothing passes: what comes back later is answered with a reset."""
    member.connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER
    crowd.leave(member, "forgotten")


def check_times(scene, left, survivors):
    """`left` says how many sockets were left when."""
    total = survivors + EACH * (len(STAYS_CUT) + 1)
    noticed = min((when for sockets, when in left.items() if sockets <= total - EACH), default=None)
    scene.check(noticed is not None and noticed < IDLE / 2 + 1,
                f"{EACH} peers that have forgotten their connection are noticed {noticed or 0:.1f} s after the cut; idle time is {IDLE} s", left)
    times = [when for sockets, when in left.items() if sockets < total - EACH]
    gone = left.get(survivors)
    scene.check(gone is not None and gone < 3 * IDLE,
                f"{EACH * len(STAYS_CUT)} whose link stays cut are closed {min(times, default=0):.1f} to {gone or 0:.1f} s after it, no other is",
                left)


def after_the_cut(scene, link, server, crowd, groups):
    well = groups["well"].members + groups["cut for a while"].members
    published = server.total("publishes")
    crowd.run_until(lambda: all(member.next == published or member.is_over for member in well))
    swallowed = link.counts(groups["cut for a while"].address)["swallowed"]
    is_whole = all(member.is_open and not member.wrong and not member.missing and member.next == published for member in well)
    scene.check(is_whole and swallowed, f"a cut of {SHORT} s, in which {swallowed} packets went, loses nothing: {len(well)} have all "
                f"{published} messages, once and in order", [(m.next, m.missing, m.wrong, m.ending) for m in well if m.next != published][:5])
    cut_off = [member for name in STAYS_CUT for member in groups[name].members]
    for name in STAYS_CUT:
        link.set(groups[name].address, Condition())
    for member in cut_off:
        if not member.is_over:
            member.control(0x89)  # a ping: who is not known there any more is told so
    crowd.run_until(lambda: all(member.is_over for member in cut_off), 120)
    views = {name: dict(collections.Counter(member.code or member.ending for member in groups[name].members)) for name in STAYS_CUT}
    scene.check(all(member.is_over for member in cut_off), f"once the link is back, those that were cut off learn of it: {views}")
    echoing = crowd_of_new(link, server, crowd, groups)
    scene.check(all_echo(crowd, echoing), f"{len(echoing)} that come anew over these links are served")


def crowd_of_new(link, server, crowd, groups):
    with link.client_side:
        members = [crowd.connect(Echoing(), server.port, "/echo", SERVER, groups[name].address) for name in STAYS_CUT]
    crowd.run_until(lambda: all(member.is_open or member.is_over for member in members))
    return members
