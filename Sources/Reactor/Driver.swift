package import SystemCalls

/// The seam to the kernel: everything a loop asks of it, and nothing that decides anything.
///
/// Operations are collected, and begin at the latest with the next `wait`. `nextCompletion` tells what came of them:
/// nothing calls back. A driver belongs to its loop's thread; `address` is what others may use.
package protocol Driver: SocketCalls {
    /// Whether `sendBatched` works here; where it does not, the loop uses `send` alone.
    var sendsInBatches: Bool { get }
    /// How others end a `wait` of this driver.
    var address: DriverAddress { get }
    /// Whether `wait(milliseconds:gathering:microseconds:)` may be called.
    var gathersCompletions: Bool { get }
    /// Operations that have not begun although they were asked for before the last `wait`.
    var unsubmittedCount: Int { get }

    /// A connection begins in this slot. Its batched sends, whose tokens name the slot, may use it.
    func opened(_ socket: Int32, slot: UInt32)
    /// Accepts until it completes without `hasMore`.
    func accept(on listener: Int32, token: Token)
    func connect(_ socket: Int32, to address: ConnectAddress, token: Token)
    /// Receives until it completes without `hasMore`; every arrival comes in a buffer of that size, on loan.
    func receive(on socket: Int32, into size: ReceiveBufferSize, token: Token)
    /// Takes to the socket what it has room for, and is over when the `wait` that begins it is; then the pieces may
    /// change again. Completes only with what the loop does not expect: fewer bytes than all, or an error.
    func sendBatched(_ pieces: SendPieces, on socket: Int32, token: Token)
    /// Completes once the socket has taken something, with the bytes taken. The pieces stay as they are until then.
    func send(_ pieces: SendPieces, on socket: Int32, token: Token)
    /// Ends an operation, which completes as canceled. Costs the same however many operations there are.
    /// - Parameter answer: completes with `ENOENT` where no such operation was found although it may still be going on.
    func cancel(_ token: Token, answer: Token)
    /// Closes a connection on which nothing is going on, whether or not `opened` was told of it.
    func close(_ socket: Int32, slot: UInt32)
    /// Ends the wait of another loop's driver. Completes only with an error: then that driver sleeps on.
    func notify(_ other: DriverAddress, token: Token)

    /// Begins everything that was asked for, and waits for a completion.
    /// - Parameter milliseconds: how long at most; nil waits for ever, 0 not at all.
    func wait(milliseconds: UInt64?)
    /// As `wait(milliseconds:)`, and waits on for `count` completions, so many microseconds at most.
    func wait(milliseconds: UInt64?, gathering count: Int, microseconds: UInt32)
    func nextCompletion() -> DriverCompletion?

    func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer
    func giveBack(_ buffer: ReceiveBuffer)
    /// Receive buffers of that size in all.
    func bufferCount(_ size: ReceiveBufferSize) -> Int
}

/// How to end a driver's `wait` from outside of its loop.
package struct DriverAddress: Sendable {
    /// For any thread: ringing it ends the present wait, or the next one, with a `.wakeUp`.
    package let wakeUp: WakeUpEvent
    /// What drivers of one kind reach each other by at less cost (`Driver.notify`); nil where they have no such way.
    package let direct: Int32?

    package init(wakeUp: WakeUpEvent, direct: Int32? = nil) {
        self.wakeUp = wakeUp
        self.direct = direct
    }
}

package struct DriverCompletion: BitwiseCopyable {
    package let token: Token
    /// Bytes, a descriptor, or a negated errno.
    package let result: Int32
    /// Whether the operation goes on.
    package let hasMore: Bool
    /// A loan that has to be given back, even if the connection is gone.
    package let buffer: ReceiveBuffer?

    package init(token: Token, result: Int32, hasMore: Bool, buffer: ReceiveBuffer? = nil) {
        self.token = token
        self.result = result
        self.hasMore = hasMore
        self.buffer = buffer
    }

    package var error: SystemError? { result < 0 ? SystemError(-result) : nil }
}
