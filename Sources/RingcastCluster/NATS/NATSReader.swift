/// Takes the stream of a NATS server apart into lines and payloads. Belongs to one connection.
struct NATSReader {
    /// What has come and was not understood yet, behind `start`.
    private var bytes: [UInt8] = []
    private var start = 0

    /// A line without its end, and behind a MSG its payload.
    struct Element {
        let verb: String
        /// The rest of the line, as it stands there.
        let rest: Range<Int>
        let payload: Range<Int>?
    }

    /// The server's INFO may name the servers of a large cluster.
    private static let lineLimit = 64 << 10
    private static let payloadLimit = 64 << 20

    /// Whether everything that has come was understood.
    var isEmpty: Bool { start == bytes.count }

    mutating func feed(_ piece: UnsafeRawBufferPointer) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            start = 0
        }
        unsafe bytes.append(contentsOf: piece)
    }

    /// The next whole element, whose ranges are good until the next call; nil until more has come.
    mutating func next() throws(EngineFailure) -> Element? {
        guard let end = lineEnd() else {
            guard bytes.count - start <= Self.lineLimit else {
                throw EngineFailure(reason: "NATS has sent a long line")
            }
            forget()
            return nil
        }
        let line = bytes[start..<end]
        let blank = line.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? end
        let verb = String(decoding: line[..<blank], as: UTF8.self).uppercased()
        let rest = min(blank + 1, end)..<end
        guard verb == "MSG" else {
            start = end + 2
            return Element(verb: verb, rest: rest, payload: nil)
        }
        guard let count = Int(String(decoding: lastWord(of: bytes[rest]), as: UTF8.self)),
            0...Self.payloadLimit ~= count
        else { throw EngineFailure(reason: "NATS has sent a message without a length") }
        let payload = end + 2..<end + 2 + count
        guard bytes.count >= payload.upperBound + 2 else {
            forget()
            return nil
        }
        guard bytes[payload.upperBound] == 0x0D, bytes[payload.upperBound + 1] == 0x0A else {
            throw EngineFailure(reason: "NATS has sent a message of another length than it said")
        }
        start = payload.upperBound + 2
        return Element(verb: verb, rest: rest, payload: payload)
    }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Swift.Result { () throws(Failure) in try unsafe body(bytes) }
        }
        return try result.get()
    }

    private func lineEnd() -> Int? {
        var index = start
        while index + 1 < bytes.count, index - start <= Self.lineLimit {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A { return index }
            index += 1
        }
        return nil
    }

    private func lastWord(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.lastIndex { $0 == 0x20 || $0 == 0x09 }.map { line[($0 + 1)...] } ?? line
    }

    /// Moves what is left to the front once it lies behind much that is over.
    private mutating func forget() {
        guard start > 64 << 10 || start > bytes.count / 2 else { return }
        bytes.removeFirst(start)
        start = 0
    }
}
