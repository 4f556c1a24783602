"""A way to the engine that delays, cuts and loses without a word, as networks do."""
import heapq
import selectors
import socket
import threading
import time


class Relay:
    """Forwards connections to a port on a thread of its own, for the time of a `with` block.

    `delay` is how long each piece takes, in seconds; `is_black_hole` has every byte vanish, of new connections too; `cut` resets all.
    """

    def __init__(self, target):
        self.target, self.delay, self.is_black_hole = target, 0, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.pairs, self.waiting, self.count = {}, [], 0
        self.due = {}  # of each connection's last piece: a later one does not overtake it
        self.lock, self.is_over = threading.Lock(), False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        self.cut()
        self.listener.close()

    def cut(self):
        with self.lock:
            for connection in list(self.pairs):
                self.end(connection)

    def run(self):
        while not self.is_over:
            events = self.selector.select(0.01)
            with self.lock:
                for key, _ in events:
                    self.accept() if key.fileobj is self.listener else self.read(key.fileobj)
                self.forward()

    def accept(self):
        try:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target), 1)
        except OSError:
            return
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pairs[one] = other
            self.selector.register(one, selectors.EVENT_READ)

    def read(self, connection):
        if connection not in self.pairs:
            return
        try:
            piece = connection.recv(1 << 16)
        except OSError:
            piece = b""
        if not piece:
            self.end(connection)
        elif not self.is_black_hole:
            self.count += 1
            due = self.due[connection] = max(time.monotonic() + self.delay, self.due.get(connection, 0))
            heapq.heappush(self.waiting, (due, self.count, connection, piece))

    def forward(self):
        while self.waiting and self.waiting[0][0] <= time.monotonic():
            _, _, connection, piece = heapq.heappop(self.waiting)
            try:
                if connection in self.pairs:
                    self.pairs[connection].sendall(piece)
            except OSError:
                self.end(connection)

    def end(self, connection):
        for one in (connection, self.pairs.get(connection)):
            if one in self.pairs:
                del self.pairs[one]
                self.due.pop(one, None)
                self.selector.unregister(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                one.close()
