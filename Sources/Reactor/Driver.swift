package import CSystemCalls
package import SystemCalls

/// The seam to the kernel: everything a loop asks of it, and nothing that decides anything.
///
/// Operations are collected and handed over together by `wait`. Completions are collected by `nextCompletion` and never
/// call back. A driver belongs to its loop's thread; `wakeUp` is what other threads may use.
package protocol Driver: SocketCalls {
    /// Whether `sendBatched` does what it says; the loop uses `send` alone where it does not.
    var sendsInBatches: Bool { get }
    /// Ringing it ends a `wait` with a `.wakeUp`.
    var wakeUp: WakeUpEvent { get }
    /// What another driver's `notify` needs to reach this one; nil where there is no such way.
    var notificationAddress: Int32? { get }
    /// Whether `wait(milliseconds:gathering:microseconds:)` may be called.
    var gathersCompletions: Bool { get }
    /// Operations that `wait` has not handed over yet.
    var unsubmittedCount: Int { get }

    /// A connection begins in this slot. Its batched sends, whose tokens name the slot, may use it.
    func opened(_ socket: Int32, slot: UInt32)
    func accept(on listener: Int32, token: Token)
    func connect(_ socket: Int32, to address: ConnectAddress, token: Token)
    func receive(on socket: Int32, into size: ReceiveBufferSize, token: Token)
    /// The pieces and the header are free again after the next `wait` that leaves nothing unsubmitted.
    func sendBatched(_ message: UnsafePointer<msghdr>, on socket: Int32, token: Token)
    /// Completes as soon as the socket has taken something. The pieces are borrowed until then, the header until the
    /// operation is handed over.
    func send(_ message: UnsafePointer<msghdr>, on socket: Int32, token: Token)
    /// - Parameter answer: what it completes with if it finds no such operation; a driver that cannot miss one needs no
    ///   answer.
    func cancel(_ token: Token, answer: Token)
    /// Ends every operation on a connection: each completes as canceled.
    func cancelAll(on socket: Int32, slot: UInt32)
    func close(_ descriptor: Int32)
    /// Closes a connection, whether or not `opened` was told of it.
    func close(_ socket: Int32, slot: UInt32)
    /// Ends the other driver's wait. Completes only if it could not.
    func notify(_ address: Int32, token: Token)

    /// Hands everything over and waits for a completion, `milliseconds` at most (nil: for ever, 0: not at all).
    func wait(milliseconds: UInt64?)
    /// The same, but it waits on for `count` completions, so many microseconds at most.
    func wait(milliseconds: UInt64?, gathering count: Int, microseconds: UInt32)
    func nextCompletion() -> DriverCompletion?

    func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer
    func giveBack(_ buffer: ReceiveBuffer)
    /// Receive buffers of that size in all.
    func bufferCount(_ size: ReceiveBufferSize) -> Int
}

package struct DriverCompletion: BitwiseCopyable {
    package let token: Token
    /// Bytes, a descriptor, or a negated errno.
    package let result: Int32
    /// False: the operation is over.
    package let hasMore: Bool
    /// A loan that has to be given back, whoever the completion belongs to.
    package let bufferIndex: UInt16?

    package init(token: Token, result: Int32, hasMore: Bool, bufferIndex: UInt16? = nil) {
        self.token = token
        self.result = result
        self.hasMore = hasMore
        self.bufferIndex = bufferIndex
    }

    package var error: SystemError? { result < 0 ? SystemError(-result) : nil }
}
