import HTTP2Protocol

/// How HTTP/2 (RFC 9113) is served, and WebSockets over it (RFC 8441): beside HTTP/1.1, on the same ports.
///
/// Over TLS a client chooses it by ALPN, `h2`, which is offered first; on a plain port by beginning with HTTP/2's
/// preface ("prior knowledge"). Routes, handlers and all limits are the same; what bounds a connection of HTTP/1.1
/// bounds a stream.
public struct HTTP2Options: Sendable {
    /// Requests and WebSockets that a client may have open on one connection. Further ones it may try again.
    public var streams: Int
    /// Bytes that a client may send on a stream before somebody takes them, 65,535 or more. With `streams` it bounds
    /// what one connection can have lie here.
    public var streamWindow: Int
    /// Streams within 10 s that a client may reset, or have reset by breaking a rule (rapid reset). Beyond it the
    /// connection ends.
    public var resets: Int
    /// Frames within 10 s that cost a client nothing and lead to nothing, such as SETTINGS and PING. Beyond it the
    /// connection ends.
    public var controlFrames: Int
    /// Whether clients are told that they may open WebSockets on streams.
    public var webSockets: Bool

    /// The defaults, but for what is given; see each property. What makes no sense is told by `Server.init`.
    public init(
        streams: Int = 128, streamWindow: Int = 65_535, resets: Int = 500, controlFrames: Int = 1_000,
        webSockets: Bool = true
    ) {
        self.streams = streams
        self.streamWindow = streamWindow
        self.resets = resets
        self.controlFrames = controlFrames
        self.webSockets = webSockets
    }

    /// The protocol's name in ALPN.
    static let name = "h2"

    var objection: String? {
        guard 1...10_000 ~= streams else { return "http2.streams is \(streams): it has to be 1 to 10000" }
        guard 65_535...(1 << 24) ~= streamWindow else {
            return "http2.streamWindow is \(streamWindow): it has to be 65535 to \(1 << 24)"
        }
        for (name, count) in [("resets", resets), ("controlFrames", controlFrames)] where count < 1 {
            return "http2.\(name) is \(count): it must be positive"
        }
        return nil
    }

    /// What a connection is held to.
    func limits(_ limits: ServerLimits) -> HTTP2Limits {
        HTTP2Limits(
            streams: streams, headerListBytes: limits.headBytes, streamWindow: streamWindow,
            controlFrames: controlFrames, resets: resets, offersWebSocket: webSockets)
    }
}
