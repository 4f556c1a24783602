import HTTP2Protocol
import HTTPProtocol
import HTTPTypes
import Reactor

/// A connection that speaks HTTP/2: it carries a connection of the loop for each stream, on which an `HTTPExchange` and
/// then, maybe, a `Session` live as on any other. What it does for them is what a socket does for others: `+Receive`
/// hands them what comes, `+Send` takes what they have queued, `+Answer` sends heads, which have a form of their own.
///
/// A stream's place in `streams` is free again once both its ends are over: nghttp2's, and the loop's.
final class HTTP2Carrier {
    unowned let loop: SocketLoop
    let slot: ConnectionSlot
    let http2: HTTP2Connection
    /// Why all requests are refused; nil if they are not.
    let refusal: HTTPRefusal?
    var streams: [Stream?] = []
    var places: [HTTP2StreamID: Int] = [:]
    private var freePlaces: [Int] = []
    private var openCount = 0

    /// What is known of a stream here.
    struct Stream {
        let id: HTTP2StreamID
        /// Whether it is a WebSocket's, and so has no end of a request.
        let isTunnel: Bool
        /// The connection that stands for it; nil once its last call is over.
        var slot: ConnectionSlot?
        /// Whether it is open on the wire.
        var isOpen = true
        /// Whether the client has said all that it will say.
        var clientHasEnded: Bool
        var isAnswered = false
        /// Whether this side has said all that it will say.
        var isFinished = false
        /// Bytes of its connection's queue that nghttp2 knows of.
        var offeredByteCount = 0
        /// Bytes that have come and were not consumed when it was last looked at.
        var heldByteCount = 0
    }

    init(loop: SocketLoop, connection: Connection, limits: HTTP2Limits, refusal: HTTPRefusal?) {
        self.loop = loop
        self.refusal = refusal
        slot = connection.slot
        http2 = HTTP2Connection(limits: limits)
    }

    /// Safe: the carrier is let go of at its connection's last call.
    var connection: Connection {
        @_lifetime(immortal)
        get { Connection(slot) }
    }

    /// Whether nothing is open on it.
    var isIdle: Bool { openCount == 0 }

    /// The carrier's first act: its SETTINGS go out, and the client has a while to ask for something.
    func begin(_ connection: Connection) {
        let limits = loop.core.configuration.limits
        connection.setWriteStallTimeout(limits.writeStallTimeout.milliseconds)
        connection.setDeadline(loop.now + limits.headTimeout.milliseconds)
        connection.gatherAtTurnsEnd()
    }

    func deadlineReached() {
        // Streams have deadlines of their own.
        if isIdle { stop() }
    }

    /// Takes no further stream, and ends behind those that are open.
    func stop() {
        http2.leave()
        connection.gatherAtTurnsEnd()
    }

    /// Ends what is carried, since the connection that carries it has ended, or is of no use any more.
    func endAll(_ reason: DisconnectReason) {
        for stream in streams {
            if let slot = stream?.slot { Connection(slot).end(reason) }
        }
    }

    // MARK: places

    func add(_ stream: Stream, at place: Int) {
        streams[place] = stream
        places[stream.id] = place
        openCount += 1
    }

    func takePlace() -> Int {
        if let place = freePlaces.popLast() { return place }
        streams.append(nil)
        return streams.count - 1
    }

    /// nghttp2 has done with a stream.
    func wireIsOver(_ id: HTTP2StreamID, _ code: HTTP2Protocol.HTTP2ErrorCode) {
        guard let place = places.removeValue(forKey: id), let stream = streams[place] else { return }
        streams[place]?.isOpen = false
        guard let slot = stream.slot else { return leave(place) }
        Connection(slot).end(code == .noError && stream.isFinished ? .local : .peer)
    }

    /// A stream's connection has had its last call.
    func connectionIsOver(at place: Int) {
        guard let stream = streams[place] else { return }
        streams[place]?.slot = nil
        guard stream.isOpen else { return leave(place) }
        // What the client has not taken is gone with the connection.
        let isWhole = stream.isFinished && stream.offeredByteCount == 0
        if isWhole, stream.clientHasEnded { return }
        http2.reset(stream.id, isWhole ? .noError : stream.isTunnel ? .cancel : .internalError)
        connection.gatherAtTurnsEnd()
    }

    private func leave(_ place: Int) {
        streams[place] = nil
        freePlaces.append(place)
        openCount -= 1
        guard isIdle, !connection.isClosing else { return }
        connection.setDeadline(loop.now + loop.core.configuration.limits.keepAliveTimeout.milliseconds)
    }
}

extension SocketLoop {
    /// Makes a connection one that speaks HTTP/2 from its first byte on.
    /// - Parameter refusal: why it is served nothing.
    func carry(_ connection: Connection, _ options: HTTP2Options, refusing refusal: HTTPRefusal? = nil) {
        let limits = options.limits(core.configuration.limits)
        let carrier = HTTP2Carrier(loop: self, connection: connection, limits: limits, refusal: refusal)
        carriers[ObjectIdentifier(carrier)] = carrier
        unsafe connection.context = ConnectionRole.carrier(carrier).context
        carrier.begin(connection)
        if core.hasBeenStopped { carrier.stop() }
    }

    /// The carrier's connection has ended, and with it all that it carries.
    func release(_ carrier: HTTP2Carrier, _ reason: DisconnectReason) {
        unsafe carrier.connection.context = nil
        carrier.endAll(reason)
        carriers[ObjectIdentifier(carrier)] = nil
    }

    /// A stream's connection has had its last call.
    func leaveCarrier(_ connection: Connection) { connection.http2Carrier?.connectionIsOver(at: connection.place) }
}

extension SocketLoop: CarryingHandler {
    func carried(_ connection: Connection, _ matter: CarriedMatter) {
        guard let carrier = connection.http2Carrier else { return }
        switch matter {
        case .output: carrier.offerOutput(of: connection)
        case .input: carrier.openWindow(of: connection)
        case .finish: carrier.finish(at: connection.place)
        }
    }

    func gather(_ connection: Connection) {
        if case .carrier(let carrier) = ConnectionRole(connection) { carrier.gather(on: connection) }
    }
}

extension Connection {
    /// Of a stream of HTTP/2, its connection; nil for all others, and when that has ended.
    var http2Carrier: HTTP2Carrier? {
        guard isCarried, case .carrier(let carrier) = ConnectionRole(carrier) else { return nil }
        return carrier
    }
}
