internal import CNghttp2

/// What nghttp2's callbacks gather while bytes are taken and made. Each is a method here, named as what has happened.
@safe final class HTTP2State {
    /// A stream whose request has been told.
    struct Stream {
        /// Whether a final head has been submitted.
        var isAnswered = false
        /// Bytes of the answer's body that wait.
        var waitingByteCount = 0
        /// Whether the body ends behind them.
        var isFinished = false
        /// Whether what is left of the request is not wanted behind the answer.
        var refusesRest = false
        /// Whether this side has ended the stream of its own will.
        var isReset = false
    }

    let limits: HTTP2Limits
    var flood: FloodGuard
    var events: [HTTP2Event] = []
    var streams: [HTTP2StreamID: Stream] = [:]
    /// The frame of a body that is to be sent next.
    var outgoing: HTTP2DataFrame?
    /// Where the bytes lie that are being received.
    var inputStart: UnsafePointer<UInt8>?
    /// Why the connection is over.
    var failure: HTTP2Failure?
    /// Why a callback wants the connection to end.
    var ownFailure: HTTP2Failure?
    /// What nghttp2 last complained of.
    var complaint: String?
    var isLeaving = false
    /// The head that is being received: one at a time (RFC 9113 §4.3).
    private var head: HeadCollector?

    init(limits: HTTP2Limits) {
        self.limits = limits
        flood = FloodGuard(limits: limits)
    }

    func headBegins(on stream: HTTP2StreamID, isTrailer: Bool) {
        head = HeadCollector(stream: stream, isTrailer: isTrailer, limit: limits.headerListBytes)
    }

    /// - Returns: false if the connection has to end.
    func headHas(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard head != nil else { return true }
        unsafe head?.add(name, value)
        guard let size = head?.byteCount, size > limits.headerListBytes * HTTP2Limits.bombFactor else { return true }
        ownFailure = HTTP2Failure(.enhanceYourCalm, "a header list of more than \(size) bytes")
        return false
    }

    /// - Returns: false if the request is malformed, and its stream to be reset.
    func headIsComplete(on stream: HTTP2StreamID, endsStream: Bool) -> Bool {
        guard let collector = head.take(), collector.stream == stream else { return true }
        if !collector.isTrailer {
            if collector.isOversized {
                events.append(.oversizedRequest(stream))
            } else {
                guard let request = collector.makeHead() else { return false }
                events.append(.request(request, stream, hasBody: !endsStream))
            }
            streams[stream] = Stream()
        }
        if endsStream { streamEnds(stream, behindHead: !collector.isTrailer) }
        return true
    }

    func dataCame(_ bytes: UnsafeBufferPointer<UInt8>, on stream: HTTP2StreamID) {
        guard streams[stream] != nil, let start = unsafe inputStart, let address = bytes.baseAddress else {
            return
        }
        let offset = unsafe address - start
        events.append(.data(offset..<offset + bytes.count, stream))
    }

    /// - Parameter behindHead: whether the head, told just before, has said so.
    func streamEnds(_ stream: HTTP2StreamID, behindHead: Bool = false) {
        if !behindHead, streams[stream] != nil { events.append(.end(stream)) }
    }

    func streamClosed(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        if streams.removeValue(forKey: stream) != nil { events.append(.closed(stream, code)) }
    }

    /// A reset has been sent. One that the client is to blame for counts as one of the client's.
    func resetWasSent(on stream: HTTP2StreamID) {
        guard streams[stream]?.isReset != true, let excess = flood.countReset() else { return }
        ownFailure = HTTP2Failure(.enhanceYourCalm, excess)
    }

    /// A GOAWAY has been sent: of nghttp2's making if nobody here knows of a failure.
    func goAwayWasSent(_ code: HTTP2ErrorCode) {
        guard code != .noError, failure == nil else { return }
        let failure = HTTP2Failure(code, complaint ?? "the rules of HTTP/2 were broken")
        self.failure = failure
        events.append(.failed(failure))
    }

    func refusesRest(of stream: HTTP2StreamID) -> Bool { streams[stream]?.refusesRest == true }

    /// How many bytes of the stream's body go into a frame of at most so many, and whether they are its last; nil if
    /// none wait.
    func takeBody(of stream: HTTP2StreamID, atMost length: Int) -> (byteCount: Int, isLast: Bool)? {
        guard var entry = streams[stream] else { return nil }
        let count = min(length, entry.waitingByteCount)
        guard count > 0 || entry.isFinished else { return nil }
        entry.waitingByteCount -= count
        streams[stream] = entry
        return (count, entry.isFinished && entry.waitingByteCount == 0)
    }
}
