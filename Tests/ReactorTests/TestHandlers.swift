import Reactor
import ReactorTesting

/// Sends back what comes.
final class Echo: ConnectionHandler {
    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        connection.send(bytes.bytes)
        return bytes.byteCount
    }
}

/// An echo that keeps its loop, as handlers do.
final class LoopKeeper: ConnectionHandler {
    private let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        connection.send(bytes.bytes)
        return bytes.byteCount
    }
}

/// Says hello and closes.
final class Greeter: ConnectionHandler {
    func opened(_ connection: Connection) {
        connection.send("hello")
        connection.close()
    }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }
}

/// Tells the peer its address and closes.
final class AddressTeller: ConnectionHandler {
    func opened(_ connection: Connection) {
        connection.send(connection.remoteAddress?.description ?? "nobody")
        connection.close()
    }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }
}

/// An echo that says bye when its loop is stopped.
final class Parting: ConnectionHandler {
    private var open: Set<ConnectionSlot> = []

    func opened(_ connection: Connection) { open.insert(connection.slot) }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        connection.send(bytes.bytes)
        return bytes.byteCount
    }

    func closed(_ connection: Connection, _ reason: DisconnectReason) { open.remove(connection.slot) }

    func stopping() {
        for slot in open {
            Connection(slot).send("bye")
            Connection(slot).close()
        }
    }
}

/// Passes each number on to the next loop, one higher.
final class Forwarder: ConnectionHandler {
    private let loop: EventLoop
    private let loopCount: Int
    private let last: UInt64
    private let isDone: (UInt64) -> Void

    init(loop: EventLoop, loopCount: Int, last: UInt64, isDone: @escaping (UInt64) -> Void) {
        (self.loop, self.loopCount, self.last, self.isDone) = (loop, loopCount, last, isDone)
    }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }

    func received(_ message: ServiceMessage) {
        if message.number == last { return isDone(last) }
        _ = loop.post(numbered(message.number + 1), to: (loop.index + 1) % loopCount)
    }
}

/// Expects 0, 1, 2, …
final class Counting: ConnectionHandler {
    private let end: UInt64
    private var next: UInt64 = 0
    private let isDone: (UInt64) -> Void

    init(until end: UInt64, isDone: @escaping (UInt64) -> Void) { (self.end, self.isDone) = (end, isDone) }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }

    func received(_ message: ServiceMessage) {
        if message.number == next { next += 1 }
        if message.number == end - 1 { isDone(next) }
    }
}

/// Expects 0, 1, 2, … of each sender (the upper half of the number) and tells how often that was not so.
final class PerSender: ConnectionHandler {
    private let end: Int
    private var next: [UInt64: UInt64] = [:]
    private var count = 0
    private var wrongCount: UInt64 = 0
    private let isDone: (UInt64) -> Void

    init(until end: Int, isDone: @escaping (UInt64) -> Void) { (self.end, self.isDone) = (end, isDone) }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int { bytes.byteCount }

    func received(_ message: ServiceMessage) {
        let (sender, number) = (message.number >> 32, message.number & 0xFFFF_FFFF)
        if next[sender, default: 0] != number { wrongCount += 1 }
        next[sender] = number + 1
        count += 1
        if count == end { isDone(wrongCount) }
    }
}
