import Ringcast
import Synchronization

/// What is asked of an engine that remembers, in order, from the call until the engine has answered: what a lost
/// connection leaves without an answer is asked again. Any thread; a lock for each request.
final class HistoryOutbox: Sendable {
    struct State {
        var unsent: [HistoryRequest] = []
        /// Those before have been sent.
        var firstUnsent = 0
        /// Sent, without an answer.
        var sent: [HistoryRequest] = []
        /// Those before have been answered.
        var firstSent = 0
        /// Messages of both, and their bytes.
        var appends = 0
        var byteCount = 0
        /// Messages so far.
        var lastNumber: UInt64 = 0
        /// So many unsent requests are looked through for reads that nobody needs any more.
        var siftLimit = HistoryOutbox.siftMinimum
        /// Whether the loop was asked to look, and has not yet.
        var isAnnounced = false
        var isClosed = false
    }

    let state = Mutex(State())
    /// Bytes of messages that may wait.
    private let byteLimit: Int
    /// What a message takes beside its bytes.
    private static let cost = 96
    /// So many requests wait before the first look at those that nobody needs any more.
    static let siftMinimum = 1_024
    /// Requests that the loop takes at once, and bytes of their messages.
    private static let takeLimit = (count: 256, bytes: 128 << 10)

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Adds a message.
    /// - Returns: what becomes of it, and whether the loop has to be asked to look.
    func append(
        _ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool
    ) -> (result: BackplaneResult, isFirst: Bool) {
        state.withLock { state in
            guard !state.isClosed, state.byteCount < byteLimit else { return (.dropped, false) }
            state.lastNumber += 1
            state.appends += 1
            state.byteCount += message.count + Self.cost
            let append = HistoryAppend(
                number: state.lastNumber, message: message, topic: topic, bounds: bounds, retain: retain)
            return (state.byteCount > byteLimit / 2 ? .waiting : .accepted, state.add(.append(append)))
        }
    }

    /// Adds a read.
    /// - Returns: whether the loop has to be asked to look.
    func read(_ topic: Topic, after position: Position?, ticket: UInt64) -> Bool {
        state.withLock { $0.isClosed ? false : $0.add(.read(topic, after: position, ticket: ticket)) }
    }

    /// Takes some that have not been sent; they wait for their answers now.
    func take() -> [HistoryRequest] {
        state.withLock { state in
            var end = state.firstUnsent
            var bytes = 0
            while end < min(state.unsent.count, state.firstUnsent + Self.takeLimit.count), bytes < Self.takeLimit.bytes
            {
                bytes += state.unsent[end].byteCount
                end += 1
            }
            let taken = Array(state.unsent[state.firstUnsent..<end])
            state.sent += taken
            state.firstUnsent = end
            state.closeUp()
            return taken
        }
    }

    /// What the engine answers next: the oldest that was sent.
    var oldest: HistoryRequest? { state.withLock { $0.firstSent < $0.sent.count ? $0.sent[$0.firstSent] : nil } }

    /// Takes out the oldest that was sent: it has its answer.
    func removeOldest() {
        state.withLock { state in
            if case .append(let append) = state.sent[state.firstSent] {
                state.appends -= 1
                state.byteCount -= append.message.count + Self.cost
            }
            state.firstSent += 1
            state.closeUp()
        }
    }

    /// What was sent and not answered is sent again, in front of all others.
    func restart() {
        state.withLock { state in
            state.unsent = Array(state.sent[state.firstSent...] + state.unsent[state.firstUnsent...])
            (state.sent, state.firstSent, state.firstUnsent) = ([], 0, 0)
        }
    }

    /// Whether messages wait, sent or not.
    var hasAppends: Bool { state.withLock { $0.appends > 0 } }

    /// Takes nothing more, and tells how many messages are thrown away.
    func close() -> Int {
        state.withLock { state in
            defer { state = State(isClosed: true) }
            return state.appends
        }
    }
}

extension HistoryOutbox.State {
    /// - Returns: whether the loop has to be asked to look.
    fileprivate mutating func add(_ request: HistoryRequest) -> Bool {
        unsent.append(request)
        defer { isAnnounced = true }
        return !isAnnounced
    }

    /// Forgets what is before the first ones, once that is most of it.
    fileprivate mutating func closeUp() {
        if firstUnsent == unsent.count { isAnnounced = false }
        if firstUnsent > unsent.count / 2 {
            unsent.removeFirst(firstUnsent)
            firstUnsent = 0
        }
        if firstSent > sent.count / 2 {
            sent.removeFirst(firstSent)
            firstSent = 0
        }
    }
}

extension HistoryRequest {
    fileprivate var byteCount: Int { if case .append(let append) = self { append.message.count } else { 0 } }
}
