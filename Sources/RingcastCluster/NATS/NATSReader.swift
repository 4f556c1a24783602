/// Takes the stream of a NATS server apart into lines, headers and payloads. Belongs to one connection.
struct NATSReader {
    /// What has come and was not understood yet, behind `start`.
    private var bytes: [UInt8] = []
    private var start = 0

    /// A line without its end, and behind a MSG or HMSG its payload.
    struct Element {
        let verb: String
        /// The rest of the line, as it stands there.
        let rest: Range<Int>
        let payload: Range<Int>?
        /// What is between them behind an HMSG.
        var headers: Range<Int>?
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
        guard verb == "MSG" || verb == "HMSG" else {
            start = end + 2
            return Element(verb: verb, rest: rest, payload: nil)
        }
        // The last word is the length of all that follows, the one before it in an HMSG that of its headers.
        let words = bytes[rest].split { $0 == 0x20 || $0 == 0x09 }
        let lengths = words.suffix(verb == "MSG" ? 1 : 2).map { Int(String(decoding: $0, as: UTF8.self)) ?? -1 }
        guard let count = lengths.last, words.count > lengths.count + 1,
            lengths.allSatisfy({ 0...Self.payloadLimit ~= $0 && $0 <= count })
        else {
            throw EngineFailure(reason: "NATS has sent a message without a length")
        }
        let whole = end + 2..<end + 2 + count
        guard bytes.count >= whole.upperBound + 2 else {
            forget()
            return nil
        }
        guard bytes[whole.upperBound] == 0x0D, bytes[whole.upperBound + 1] == 0x0A else {
            throw EngineFailure(reason: "NATS has sent a message of another length than it said")
        }
        start = whole.upperBound + 2
        guard verb == "HMSG", let headers = lengths.first else {
            return Element(verb: "MSG", rest: rest, payload: whole)
        }
        let payload = whole.lowerBound + headers..<whole.upperBound
        return Element(verb: "MSG", rest: rest, payload: payload, headers: whole.lowerBound..<payload.lowerBound)
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

    /// Moves what is left to the front once it lies behind much that is over.
    private mutating func forget() {
        guard start > 64 << 10 || start > bytes.count / 2 else { return }
        bytes.removeFirst(start)
        start = 0
    }
}
