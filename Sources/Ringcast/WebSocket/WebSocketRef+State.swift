public import Reactor
import WebSocketProtocol

extension WebSocketRef {
    /// Where the socket is in its life; an open one may be closed at any moment. Any thread, at once.
    public var readyState: ReadyState {
        switch lifeline.current {
        case .open, .blocked: .open
        case .closing: .closing
        case .closed: .closed
        }
    }

    /// The subprotocol that the handshake agreed on, if any. Any thread, at once, also once the socket is closed.
    public var subprotocol: String? { lifeline.subprotocol }

    /// The other end of the connection; nil once the socket is closed. Asks the loop.
    public var remoteAddress: SocketAddress? {
        get async { await lifeline.ask { $0.connection.remoteAddress } ?? nil }
    }

    /// Bytes accepted to be sent and not yet taken by the kernel, those that the caller has sent before among them; 0
    /// once the socket is closed. Asks the loop.
    public var bufferedAmount: Int {
        get async {
            await lifeline.ask { session in
                session.settleFanOut()
                return session.queuedByteCount
            } ?? 0
        }
    }

    /// How long the last liveness ping took to be answered; nil before the first, and once the socket is closed. Asks
    /// the loop.
    public var roundTrip: Duration? {
        get async { await lifeline.ask { $0.extras?.roundTrip } ?? nil }
    }

    /// Whether the socket is paused; see `WebSocket.isPaused`. Asks the loop.
    public var isPaused: Bool {
        get async { await lifeline.ask { $0.holds.contains(.paused) } ?? false }
    }

    /// Sends a ping. A payload is cut to 125 bytes, which is logged. It has its place among what the caller sends.
    @discardableResult
    public func ping(_ payload: String = "") -> SendResult { lifeline.control(.ping, [UInt8](payload.utf8)) }

    /// Sends a ping. A payload is cut to 125 bytes, which is logged.
    @discardableResult
    public func ping(_ payload: [UInt8]) -> SendResult { lifeline.control(.ping, payload) }

    /// Sends a pong that nobody asked for; pings are answered without it. A payload is cut to 125 bytes, which is
    /// logged.
    @discardableResult
    public func pong(_ payload: String = "") -> SendResult { lifeline.control(.pong, [UInt8](payload.utf8)) }

    /// Sends a pong that nobody asked for. A payload is cut to 125 bytes, which is logged.
    @discardableResult
    public func pong(_ payload: [UInt8]) -> SendResult { lifeline.control(.pong, payload) }
}

extension SocketLifeline {
    /// Sends a control frame directly on the socket's loop; from elsewhere its payload takes the lane to that loop.
    fileprivate func control(_ opcode: Opcode, _ payload: [UInt8]) -> SendResult {
        let state = current
        guard state != .closed else { return .dropped }
        if core.currentLoop?.eventLoop.index == loop {
            return session.map { $0.sendCut(opcode, payload) } ?? .dropped
        }
        let (slot, serial) = (slot, serial)
        let job = LoopJob(byteCount: payload.count) { loop in
            _ = loop?.sessions.find(slot: slot, serial: serial).map { $0.sendCut(opcode, payload) }
        }
        guard core.post(.job(job), to: loop) else {
            core.counters[loop].countForeignDrop()
            return .dropped
        }
        let count = min(payload.count, Session.longestControlPayload)
        return state == .blocked || core.isPastWatermark(of: loop) ? .backpressure : .sent(bytes: count)
    }
}

extension Session {
    /// A control frame of the user's, cut to what it may carry.
    fileprivate func sendCut(_ opcode: Opcode, _ payload: [UInt8]) -> SendResult {
        unsafe payload.withUnsafeBytes { unsafe sendCut(opcode, $0) }
    }
}
