/// One connection, lent to a handler for the time of a call.
///
/// A handle is one word: copy and pass it freely. It cannot be kept or captured by a task (the compiler says "escapes
/// its scope"); what outlives a call is its `id`, or work that the loop's `executor` is given. Everything here is
/// called on the connection's loop, never blocks, and does nothing useful once the connection is over. What costs more
/// than some instructions says so.
public struct Connection: ~Escapable {
    @usableFromInline package let slot: ConnectionSlot

    /// - Parameter slot: of a connection whose handler was not told `closed` yet.
    @_lifetime(immortal)
    @inlinable
    package init(_ slot: ConnectionSlot) { self.slot = slot }

    /// The loop that owns this connection.
    public var loop: EventLoop { slot.state.withLoop { $0 } }

    /// The loop's clock, without touching the loop: `loop.now`.
    package var now: UInt64 { slot.state.withLoop { $0.now } }

    /// The connection's name for logs and tables, which can be kept and sent anywhere.
    public var id: ConnectionID {
        ConnectionID(loop: loop.index, slot: slot.state.slot, generation: slot.state.generation)
    }

    /// Which of the group's listeners accepted the connection; 0 for an outbound one.
    public var listenerIndex: Int { Int(slot.state.listenerIndex) }

    /// The peer's address, asked of the kernel at each call (one system call); nil once the peer is gone.
    public var remoteAddress: SocketAddress? {
        slot.state.withLoop { $0.driver.peerAddress(of: slot.wire.state.descriptor) }
    }

    /// Bytes accepted to be sent and not yet taken by the kernel: the cork and everything behind it.
    public var queuedByteCount: Int { unsafe slot.state.sendQueue?.pointee.byteCount ?? 0 }

    /// Whether bytes are left from an earlier flush: the peer reads slower than is sent to it. `notifyWhenDrained` asks
    /// to be told when they have left.
    public var isBlocked: Bool { slot.state.flags.contains(.blocked) }

    /// Asks for `ConnectionHandler.drained`, once, when everything that is queued, now or next, has been taken by the
    /// kernel; also if it leaves without ever blocking.
    public func notifyWhenDrained() { slot.state.flags.insert(.wantsDrain) }

    /// Until when (the loop's ms) a connection that is to end waits for a peer that is behind: for as long as the peer
    /// takes something within so many milliseconds, and a kilobyte a second on average from the first call on. Nil when
    /// the wait is over. Costs a system call.
    package func endOfPatience(_ milliseconds: UInt64) -> UInt64? {
        slot.state.withLoop { $0.endOfPatience(milliseconds, with: slot) }
    }

    /// Whether the peer has ended its side or the connection; the handler may not have had all that it sent before, and
    /// hears nothing of a paused connection. Costs a system call.
    package var peerHasEnded: Bool {
        // Of a carried one the end is told at once, also while it is paused; its FIN is that of a request, and no end.
        guard !isCarried else { return isClosing }
        return slot.state.input != .open
            || slot.state.withLoop { $0.driver.peerHasEnded(slot.state.descriptor) }
    }

    /// Whether `close` or `abort` was called, or the peer is gone.
    public var isClosing: Bool { slot.state.phase >= .closing }

    /// The handler's own state for this connection.
    package var context: UnsafeMutableRawPointer? {
        get { unsafe slot.state.context }
        nonmutating set { unsafe slot.state.context = unsafe newValue }
    }

    /// Queues a copy of `bytes`; everything queued in a turn leaves at its end in one operation. Ignored while closing.
    @inline(__always)
    public func send(_ bytes: RawSpan) {
        let count = bytes.byteCount
        unsafe send(count: count) { memory in
            unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0.baseAddress!, byteCount: count) }
        }
    }

    /// Makes room for `count` bytes behind everything queued, to be written at once and all of them.
    ///
    /// One call for all that a small message needs, since it is made once per message: nothing is reserved while the
    /// connection is closing, or on top of `limit` queued bytes.
    package func reserve(_ count: Int, below limit: Int) -> CorkRoom {
        let queued = unsafe slot.state.sendQueue?.pointee.byteCount ?? 0
        guard queued < limit, !isClosing else {
            return unsafe CorkRoom(start: nil, queuedByteCount: queued, isBlocked: false)
        }
        let start = unsafe slot.state.withLoop { unsafe $0.reserve(count, on: slot) }
        return unsafe CorkRoom(start: start, queuedByteCount: queued, isBlocked: isBlocked)
    }

    /// Queues `count` bytes that `fill` writes, all of them, into the cork itself.
    @inline(__always)
    package func send(count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard count > 0, !isClosing else { return }
        unsafe fill(slot.state.withLoop { unsafe $0.reserve(count, on: slot) })
    }

    /// Queues `count` bytes that `fill` writes, all of them, in front of what waits: behind what is being sent, and
    /// never inside of what another call has queued. Urgent bytes keep their order.
    package func sendUrgent(count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard count > 0, !isClosing else { return }
        unsafe fill(slot.state.withLoop { unsafe $0.reserveUrgent(count, on: slot) })
    }

    /// Bytes that `sendUrgent` has queued and the kernel has not taken.
    package var urgentByteCount: Int { unsafe slot.state.sendQueue?.pointee.front.urgentByteCount ?? 0 }

    /// From now on `sendUrgent` puts nothing in front of what is queued already.
    package func keepInFront() { unsafe slot.state.sendQueue?.pointee.keepInFront() }

    /// When the peer last took some of what waits for it (the loop's ms). Costs a system call.
    package var timeOfProgress: UInt64 { slot.state.withLoop { $0.timeOfProgress(slot) } }

    /// Bytes that the kernel has taken and the peer has not. Costs a system call.
    package var untakenByteCount: Int {
        slot.state.withLoop { $0.driver.untakenByteCount(of: slot.wire.state.descriptor) }
    }

    /// Queues bytes of the receive buffer that the handler is looking at, without copying them.
    ///
    /// They must not be changed before the end of the turn. Returns false, and queues nothing, where they lie in no
    /// receive buffer, the peer is slow, or too many buffers are lent.
    package func sendBorrowed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count > 0, !isClosing else { return false }
        return slot.state.withLoop { unsafe $0.borrow(bytes, on: slot) }
    }

    /// Ends the connection in good order: what is queued goes out, then the FIN; what the peer still sends is thrown
    /// away until it ends too (2 s and 1 MiB at most), since a close with unread input would destroy what was just
    /// sent. A peer that reads slowly has longer for what is queued, as long as it takes a kilobyte a second.
    public func close() { slot.state.withLoop { $0.close(slot) } }

    /// Ends the connection now; what is queued is lost.
    public func abort() { slot.state.withLoop { $0.end(slot, .local) } }

    /// `abort` by a TCP reset, so that the peer cannot take what it has got for all there is. What has left already may
    /// be lost too.
    package func reset() { slot.state.withLoop { $0.reset(slot) } }

    /// Hands the handler nothing until `resumeReceiving`; after 64 KiB, and what the kernel has taken by then into
    /// receive buffers (at most 10 MiB, all that a loop has), the peer feels it.
    public func pauseReceiving() { slot.state.flags.insert(.paused) }

    /// Ends `pauseReceiving`: what has come meanwhile is handed over next turn.
    public func resumeReceiving() { slot.state.withLoop { $0.resumeReceiving(on: slot) } }

    /// Calls `received` again next turn with what the handler left, also when nothing new has come.
    public func continueNextTurn() { slot.state.withLoop { $0.markReady(slot) } }

    /// Receives into 64 KiB buffers instead of 4 KiB ones, or back. For large frames; costs a cancellation when it
    /// changes.
    public func preferLargeBuffers(_ isPreferred: Bool) {
        slot.state.withLoop { $0.setLargeBuffers(isPreferred, on: slot) }
    }

    /// Calls `ConnectionHandler.deadlineReached` once so much time has passed since this turn began: never early, and
    /// less than 128 ms late. A connection has one deadline; nil takes it back. Ignored while closing.
    public func setDeadline(after delay: Duration?) { setDeadline(delay.map { loop.now + $0.milliseconds }) }

    /// Calls `deadlineReached` once `loop.now` has passed `milliseconds`; see `setDeadline(after:)`.
    package func setDeadline(_ milliseconds: UInt64?) { slot.state.withLoop { $0.setDeadline(milliseconds, on: slot) } }

    /// Cuts the connection when the peer takes nothing for so long while bytes wait: by default after a minute. Zero is
    /// never.
    public func setWriteStallTimeout(_ timeout: Duration) { setWriteStallTimeout(timeout.milliseconds) }

    /// As the other one, in milliseconds.
    package func setWriteStallTimeout(_ milliseconds: UInt64) {
        slot.state.writeStallTimeout = UInt32(clamping: milliseconds)
    }
}

/// What `Connection.reserve` found.
@safe
package struct CorkRoom {
    /// Where the bytes go; nil where none are accepted.
    package let start: UnsafeMutableRawPointer?
    /// What was queued before them.
    package let queuedByteCount: Int
    /// Whether the connection `isBlocked`.
    package let isBlocked: Bool
}
