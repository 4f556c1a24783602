import WebSocketProtocol

/// One kind of socket on one loop: the handlers, and their options in the units that the loop counts in.
@safe final class SocketKind {
    /// `ownedHandlers` keeps them; these spare a retain and a release per event.
    unowned(unsafe) private let unownedHandlers: any SocketHandlers
    private let ownedHandlers: any SocketHandlers
    unowned(unsafe) let loop: ServerLoop
    let counters: UnsafeMutablePointer<LoopCounters>
    let layout: SessionLayout
    let limits: DecoderLimits
    let backpressureLimit: Int
    let closeOnBackpressureLimit: Bool
    let publishToSelf: Bool
    /// Milliseconds; 0 is off.
    let idleTimeout: UInt64
    /// Silence after which a ping is sent, in milliseconds; nil: never.
    let pingAfter: UInt64?
    let closeTimeout: UInt64
    let writeStallTimeout: UInt64
    let maxLifetime: UInt64
    /// Open sessions; at zero the loop lets go of this object.
    var sessionCount = 0

    init(handlers: any SocketHandlers, options: WebSocketOptions, loop: ServerLoop) {
        unsafe unownedHandlers = handlers
        ownedHandlers = handlers
        unsafe self.loop = loop
        unsafe counters = loop.counters
        layout = handlers.layout
        limits = DecoderLimits(maxPayloadLength: options.maxPayloadLength)
        backpressureLimit = options.backpressureLimit
        closeOnBackpressureLimit = options.closeOnBackpressureLimit
        publishToSelf = options.publishToSelf
        idleTimeout = options.idleTimeout.milliseconds
        pingAfter = options.sendPings && idleTimeout > 0 ? idleTimeout - min(idleTimeout / 4, 16_000) : nil
        closeTimeout = options.closeTimeout.milliseconds
        writeStallTimeout = options.writeStallTimeout.milliseconds
        maxLifetime = options.maxLifetime.milliseconds
    }

    var handlers: any SocketHandlers { unsafe unownedHandlers }
}
