"""WebSocket clients that never block, thousands of them on one thread: they connect, shake hands, answer pings, and say how they ended."""
import select
import socket
import struct
import time

import audience
import harness

PONG = 0x8A


class Member:
    """One client. What it does with a message, or when it is open or has ended, is its class's."""

    def __init__(self):
        self.incoming, self.outgoing = bytearray(), bytearray()
        self.is_open, self.is_over = False, False
        self.reads = True
        self.code = None  # of the Close that came
        self.ending = None  # "end" or the name of an error, once the connection is over
        self.status = None  # of a refusal

    def greeting(self, port, path):
        """What it says first."""
        return harness.upgrade_request(port, path)

    def opened(self):
        pass

    def message(self, payload):
        pass

    def ended(self):
        pass

    def send(self, payload):
        self.outgoing += audience.client_frame(payload)
        self.crowd.flush(self)

    def control(self, first_byte, payload=b""):
        self.outgoing += bytes([first_byte, 0x80 | len(payload)]) + b"\0\0\0\0" + payload
        self.crowd.flush(self)

    def received(self, piece):
        self.incoming += piece
        if not self.is_open and not self.shake_hands():
            return
        while not self.is_over and (frame := self.next_frame()) is not None:
            opcode, payload = frame
            if opcode in (1, 2):
                self.message(payload)
            elif opcode == 9:
                self.control(PONG, payload)
            elif opcode == 8:
                self.code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                self.control(0x88, payload[:2])

    def shake_hands(self):
        end = self.incoming.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self.incoming[9:12]).decode(errors="replace")
        del self.incoming[:end + 4]
        if status != "101":
            self.status = status
            self.crowd.leave(self, f"HTTP {status}")
            return False
        self.is_open = True
        self.opened()
        return True

    def next_frame(self):
        buffer = self.incoming
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return None
        opcode, payload = buffer[0] & 15, bytes(buffer[start:start + length])
        del buffer[:start + length]
        return opcode, payload


class Crowd:
    def __init__(self):
        self.poll, self.members = select.epoll(), {}

    def connect(self, member, port, path, host="127.0.0.1", source=None, options=()):
        """Begins to; the member's `opened` tells when it is. The namespace is the calling thread's."""
        member.crowd = self
        connection = member.connection = socket.socket()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in options:
            connection.setsockopt(*option)
        if source:
            # A source port of its own kind would do for fewer connections than one for each peer.
            connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            connection.bind((source, 0))
        member.outgoing += member.greeting(port, path)
        self.members[connection.fileno()] = member
        member.interest = select.EPOLLIN | select.EPOLLOUT
        self.poll.register(connection, member.interest)
        connection.connect_ex((host, port))
        return member

    def turn(self, timeout=0.05):
        for descriptor, events in self.poll.poll(timeout):
            member = self.members.get(descriptor)
            if member is None:
                continue
            if events & (select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP):
                self.read(member)
            if events & select.EPOLLOUT and not member.is_over:
                self.flush(member)

    def read(self, member):
        try:
            piece = member.connection.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as error:
            self.leave(member, type(error).__name__)
            return
        if piece:
            member.received(piece)
        else:
            self.leave(member, "end")

    def flush(self, member):
        if member.is_over:
            return
        if member.outgoing:
            try:
                del member.outgoing[:member.connection.send(member.outgoing)]
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in (107, 115):  # ENOTCONN, EINPROGRESS: it is still connecting
                    # What came before the reset may still be there to be read; reading tells the end.
                    member.outgoing.clear()
        interest = (select.EPOLLIN if member.reads else 0) | (select.EPOLLOUT if member.outgoing else 0)
        if interest != member.interest:
            member.interest = interest
            self.poll.modify(member.connection, interest)

    def leave(self, member, ending):
        """Closes a member's connection."""
        if member.is_over:
            return
        member.is_over, member.is_open, member.ending = True, False, ending
        del self.members[member.connection.fileno()]
        self.poll.unregister(member.connection)
        member.connection.close()
        member.ended()

    def run(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(min(left, 0.05))

    def run_until(self, condition, seconds=60):
        """Whether it came true; the bound is there for hanging."""
        end = time.monotonic() + seconds
        while not (holds := condition()) and time.monotonic() < end:
            self.turn()
        return holds

    def close(self):
        for member in list(self.members.values()):
            self.leave(member, "closed")
        self.poll.close()


class Echoing(Member):
    """Sends what it is told to, one message at a time, and compares what comes back."""

    def __init__(self):
        super().__init__()
        self.expected, self.answered, self.wrong = [], 0, 0

    def say(self, payload):
        self.expected.append(payload)
        self.send(payload)

    def message(self, payload):
        if self.expected and payload == self.expected.pop(0):
            self.answered += 1
        else:
            self.wrong += 1


class Listening(Member):
    """A subscriber of numbered messages, which knows whether they came whole, in order and none twice, and how many did not come."""

    def __init__(self):
        super().__init__()
        self.received_count, self.next, self.missing, self.wrong = 0, 0, 0, 0

    def message(self, payload):
        number = int(payload[:12])
        if number < self.next or payload != audience.numbered_payload(number, len(payload)):
            self.wrong += 1
            return
        self.missing += number - self.next
        self.next = number + 1
        self.received_count += 1


def all_echo(crowd, members, payload=b"well", seconds=60):
    """Whether each of them gets an echo now."""
    goals = {}
    for member in members:
        if member.is_open:
            member.say(payload)
            goals[member] = member.answered + 1
    crowd.run_until(lambda: all(member.answered >= goal or member.is_over for member, goal in goals.items()), seconds)
    return len(goals) == len(members) and all(member.answered >= goal and not member.wrong for member, goal in goals.items())
