/// The bounds within which a client is served. What is over one of them ends the stream or the connection, as each
/// says, with ENHANCE_YOUR_CALM.
package struct HTTP2Limits: Hashable, Sendable {
    /// Streams that may be open at a time. Further ones are refused, and may be tried again; from a client that has
    /// acknowledged the bound they end the connection.
    package var streams: Int
    /// Bytes of a header list, counted as RFC 9113 §6.5.2 does (32 more for each field): a longer one is an
    /// `oversizedRequest`, one `bombFactor` times as long ends the connection.
    package var headerListBytes: Int
    /// Bytes that a client may send on a stream before somebody takes them. With `streams` it bounds what can lie here.
    package var streamWindow: Int
    /// Bytes that may be on their way on all streams. They are taken at once, so that no stream holds another up.
    package var connectionWindow: Int
    /// Frames within 10 s that cost a client nothing and lead to nothing: SETTINGS, PING, PRIORITY, empty DATA, unknown
    /// ones. Each request allows two more, since browsers say a request's priority apart.
    package var controlFrames: Int
    /// Streams within 10 s that a client may reset, or have reset by breaking a rule.
    package var resets: Int
    /// CONTINUATION frames behind one HEADERS frame.
    package var continuations: Int
    /// Acknowledgements of PING and SETTINGS that may wait for a client that does not read.
    package var waitingAnswers: Int
    /// Whether clients are told that they may open WebSockets (RFC 8441: SETTINGS_ENABLE_CONNECT_PROTOCOL).
    package var offersWebSocket: Bool

    /// So many times `headerListBytes` are taken for an attack: a few bytes of HPACK can name many kilobytes.
    package static let bombFactor = 4

    package init(
        streams: Int = 128, headerListBytes: Int = 16 << 10, streamWindow: Int = 64 << 10,
        connectionWindow: Int = 1 << 20, controlFrames: Int = 1_000, resets: Int = 500, continuations: Int = 8,
        waitingAnswers: Int = 1_000, offersWebSocket: Bool = true
    ) {
        self.streams = streams
        self.headerListBytes = headerListBytes
        self.streamWindow = streamWindow
        self.connectionWindow = connectionWindow
        self.controlFrames = controlFrames
        self.resets = resets
        self.continuations = continuations
        self.waitingAnswers = waitingAnswers
        self.offersWebSocket = offersWebSocket
    }
}
