extension WebSocket {
    /// Stops reading this socket, from the next frame on, until `resume`. The peer feels it as TCP backpressure once
    /// the kernel's buffers and 64 KiB here are full. Frames that have come already are kept, in order.
    ///
    /// Sending goes on, and messages to the socket still leave. The idle timer rests; pings are not answered, and a
    /// peer that goes away is noticed when something is sent to it, or after `resume`. `close` ends the pause, to see
    /// the peer's answer, and drops messages that were kept. Without effect on a socket that is paused or not open.
    public func pause() { session.hold(.paused) }

    /// Reads again: frames that were kept come first, in one of the loop's next turns. The idle time begins anew.
    /// Without effect on a socket that is not paused.
    public func resume() { session.release(.paused) }

    /// Whether `pause` was called, and neither `resume` nor `close` since.
    public var isPaused: Bool { session.holds.contains(.paused) }
}

extension WebSocketRef {
    /// Stops reading the socket until `resume`; see `WebSocket.pause`. From another thread it takes effect when the
    /// loop hears of it: handlers for messages that have come until then still run.
    public func pause() { lifeline.run { $0.hold(.paused) } }

    /// Reads the socket again; see `WebSocket.resume`.
    public func resume() { lifeline.run { $0.release(.paused) } }
}
