import IOUring
import SystemCalls

/// Two sockets that are connected to each other, and what is sent over them.
final class Pair {
    private let sockets: SocketPair
    private var messages: [Message] = []

    init() throws { sockets = try SocketPair() }

    var first: Int32 { sockets.first }
    var second: Int32 { sockets.second }

    /// From the second to the first.
    func write(_ bytes: [UInt8]) { precondition(sockets.write(bytes) == bytes.count) }

    /// Everything that lies ready at the second.
    func read() -> [UInt8] { sockets.read() }

    /// Bytes that last as long as the pair.
    func message(_ text: String) -> Message {
        messages.append(Message(text))
        return messages[messages.count - 1]
    }
}

@safe
final class Message {
    let bytes: UnsafeRawBufferPointer

    init(_ text: String) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        unsafe copy.copyBytes(from: text.utf8)
        unsafe bytes = UnsafeRawBufferPointer(copy)
    }

    deinit { unsafe bytes.deallocate() }
}

/// A ring that should have answered and did not, within a minute, which is there for hanging only.
struct Silence: Error {}

/// The next completion, waited for if it is not there yet.
func next(of ring: borrowing Ring) throws -> Completion {
    let deadline = ContinuousClock.now + .seconds(60)
    while true {
        if let completion = ring.nextCompletion() { return completion }
        // A wait ends early when it is interrupted, and late when this machine is slow.
        guard ContinuousClock.now < deadline else { throw Silence() }
        try wait(for: ring, milliseconds: 100)
    }
}

func wait(for ring: borrowing Ring, milliseconds: UInt64) throws {
    if let error = ring.submitAndWait(milliseconds: milliseconds) { throw error }
}
