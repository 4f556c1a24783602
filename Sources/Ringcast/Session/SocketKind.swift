import WebSocketProtocol

/// One kind of socket on one loop: the handlers, and their options in the units that the loop counts in.
@safe final class SocketKind {
    let handlers: ErasedHandlers
    /// `handlers`, to be borrowed without a retain and a release per event.
    let borrowedHandlers: Unmanaged<ErasedHandlers>
    unowned(unsafe) let loop: SocketLoop
    let counters: UnsafeMutablePointer<LoopCounters>
    let layout: SessionLayout
    let limits: DecoderLimits
    let backpressureLimit: Int
    let closeOnBackpressureLimit: Bool
    let publishToSelf: Bool
    let perMessageDeflate: PerMessageDeflate
    let maxWaitingMessages: Int
    let maxControlFrames: UInt32
    let reportsSubscriptions: Bool
    let reportsDrops: Bool
    /// The longest silence, in milliseconds as all times here; 0 is off.
    let idleTimeout: UInt64
    /// The silence after which a ping is sent; nil if none ever is.
    let pingAfter: UInt64?
    let closeTimeout: UInt64
    let writeStallTimeout: UInt64
    let maxLifetime: UInt64
    let messageRate: MessageRateLimit?
    /// Whether the rate's excess is answered: asked of every message, where the limit itself would be retained with
    /// its answer.
    let answersExcess: Bool
    /// Open sessions; at zero the loop lets go of this object.
    var sessionCount = 0

    init(handlers: ErasedHandlers, options: WebSocketOptions, loop: SocketLoop) {
        self.handlers = handlers
        unsafe borrowedHandlers = .passUnretained(handlers)
        unsafe self.loop = loop
        unsafe counters = loop.counters
        layout = handlers.layout
        reportsSubscriptions = handlers.reportsSubscriptions
        reportsDrops = handlers.reportsDrops
        limits = DecoderLimits(maxPayloadLength: options.maxPayloadLength)
        backpressureLimit = options.backpressureLimit
        closeOnBackpressureLimit = options.closeOnBackpressureLimit
        publishToSelf = options.publishToSelf
        perMessageDeflate = options.perMessageDeflate
        maxWaitingMessages = options.maxWaitingMessages
        maxControlFrames = UInt32(clamping: options.maxControlFrames)
        idleTimeout = options.idleTimeout.milliseconds
        pingAfter = options.sendPings && idleTimeout > 0 ? idleTimeout - min(idleTimeout / 4, 16_000) : nil
        closeTimeout = options.closeTimeout.milliseconds
        writeStallTimeout = options.writeStallTimeout.milliseconds
        maxLifetime = options.maxLifetime.milliseconds
        messageRate = options.messageRate
        answersExcess = if case .reply? = options.messageRate?.excess { true } else { false }
    }
}
