import CIOUring
import Glibc
import IOUring

/// Two sockets that are connected to each other.
final class Pair {
    let first: Int32
    let second: Int32
    private var messages: [Message] = []

    init() throws {
        var descriptors: [Int32] = [0, 0]
        let result = unsafe ringcast_stream_pair(&descriptors)
        guard result == 0 else { throw SystemError(-result) }
        (first, second) = (descriptors[0], descriptors[1])
    }

    deinit {
        close(first)
        close(second)
    }

    /// From the second to the first.
    func write(_ bytes: [UInt8]) {
        let count = unsafe Glibc.write(second, bytes, bytes.count)
        precondition(count == bytes.count)
    }

    /// Everything that lies ready at the second.
    func read() -> [UInt8] {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while case let count = unsafe recv(second, &bytes, bytes.count, Int32(MSG_DONTWAIT)), count > 0 {
            all += bytes.prefix(count)
        }
        return all
    }

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

/// A ring that should have answered and did not.
struct Silence: Error {}

func next(of ring: borrowing Ring) throws -> Completion {
    guard let completion = ring.nextCompletion() else { throw Silence() }
    return completion
}

func wait(for ring: borrowing Ring, milliseconds: UInt64) throws {
    if let error = ring.submitAndWait(milliseconds: milliseconds) { throw error }
}
