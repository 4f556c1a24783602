/// What a loop's TLS sessions share: memory to decrypt into and to gather in, and the bound on handshakes.
@safe
struct TLSWork: ~Copyable {
    /// Room for the plain bytes of a large receive buffer, with what the record before had left over.
    static let scratchByteCount = 64 << 10 + 32 << 10
    /// Steps of handshakes in a turn. One may sign with RSA, which takes a millisecond: meanwhile nobody else is
    /// served.
    static let stepsPerTurn = 8
    /// Failed handshakes that are told of in `reportInterval` (ms); the others are counted.
    private static let reportLimit = 10
    private static let reportInterval: UInt64 = 10_000

    private var memory: UnsafeMutableRawBufferPointer?
    private var turn = -1
    private var stepCount = 0
    private var reportedSince: UInt64 = 0
    private var reportedCount = 0
    private var unreportedCount = 0

    deinit { unsafe memory?.deallocate() }

    /// Memory for the time of one call: no two users of it may be under way.
    mutating func scratch() -> UnsafeMutableRawBufferPointer {
        if let memory = unsafe memory { return unsafe memory }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.scratchByteCount, alignment: 16)
        unsafe self.memory = unsafe memory
        return unsafe memory
    }

    /// Takes another step of this turn. Returns whether there was room for it.
    mutating func takeStep(in turn: Int) -> Bool {
        if turn != self.turn { (self.turn, stepCount) = (turn, 0) }
        guard stepCount < Self.stepsPerTurn else { return false }
        stepCount += 1
        return true
    }

    /// What to log of a failure; nil when enough has been said.
    mutating func report(_ sentence: String, now: UInt64) -> String? {
        if now - reportedSince >= Self.reportInterval { (reportedSince, reportedCount) = (now, 0) }
        guard reportedCount < Self.reportLimit else {
            unreportedCount += 1
            return nil
        }
        reportedCount += 1
        defer { unreportedCount = 0 }
        return unreportedCount == 0 ? sentence : "\(sentence) (and \(unreportedCount) others before)"
    }
}
