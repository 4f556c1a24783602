"""The server stands still (SIGSTOP) for longer than its idle time, and goes on: nobody that is well is closed."""
import collections
import signal

import audience
from crowd import Crowd, Echoing, Listening, all_echo
from scene import drops

IDLE, PAUSE = 6, 7
EACH, WAVES = 50, 3


def run(scene):
    with scene.server("--idle-timeout", str(IDLE)) as server:
        scene.check_driver(server.statistics())
        crowd = Crowd()
        silent, talking, listening = [], [], []
        # Waves, so that when it is stopped some have just been pinged, and some have been silent for nearly as long as they may.
        for _ in range(WAVES):
            silent += [crowd.connect(Echoing(), server.port, "/echo") for _ in range(EACH)]
            talking += [crowd.connect(Echoing(), server.port, "/echo") for _ in range(EACH)]
            listening += [crowd.connect(Listening(), server.port, "/topic/t") for _ in range(EACH)]
            crowd.run(IDLE / WAVES)
        everyone = silent + talking + listening
        publisher = crowd.connect(Echoing(), server.port, "/publish/t")
        crowd.run_until(lambda: publisher.is_open and all(member.is_open for member in everyone))
        scene.check(all(member.is_open for member in everyone), f"{len(everyone)} clients are there", sum(m.is_open for m in everyone))
        late, published = stand_still(server, crowd, talking, publisher)
        everyone += late
        crowd.run_until(lambda: all(member.is_open or member.is_over for member in late))
        crowd.run(IDLE / 2)  # a ping that goes out late has to be answered within a quarter of the idle time
        endings = collections.Counter(str(member.code or member.ending) for member in everyone if member.is_over)
        scene.check(not endings, f"stopped for {PAUSE} s, with an idle time of {IDLE} s: none of {len(everyone)} is closed for it, "
                                 f"{len(late)} of which came meanwhile", dict(endings))
        judge(scene, server, crowd, silent + talking + late, listening, published)
        crowd.close()


def stand_still(server, crowd, talking, publisher):
    """Who came meanwhile, and how many messages were published."""
    server.process.send_signal(signal.SIGSTOP)
    late, published = [], 0
    for second in range(PAUSE):
        for member in talking:
            member.say(b"said %d" % second)
        publisher.send(audience.numbered_payload(published, 100))
        published += 1
        late += [crowd.connect(Echoing(), server.port, "/echo") for _ in range(5)]
        crowd.run(1)
    server.process.send_signal(signal.SIGCONT)
    return late, published


def judge(scene, server, crowd, echoing, listening, published):
    echoing = [member for member in echoing if member.is_open]
    listening = [member for member in listening if member.is_open]
    scene.check(all_echo(crowd, echoing) and not any(member.expected for member in echoing),
                f"{len(echoing)} get their echoes, also of what they said meanwhile")
    crowd.run_until(lambda: all(member.next == published for member in listening))
    bad = [(member.next, member.missing, member.wrong) for member in listening if member.next != published or member.missing or member.wrong]
    scene.check(not bad and listening and drops(server.statistics()) == 0,
                f"{len(listening)} subscribers get the {published} messages published meanwhile, once and in order", bad[:5])
