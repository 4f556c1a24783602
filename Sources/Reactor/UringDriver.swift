internal import Glibc
internal import IOUring
package import SystemCalls

/// The driver over io_uring.
@safe
package final class UringDriver: Driver, KernelSockets {
    package let sendsInBatches: Bool
    package let address: DriverAddress
    package let gathersCompletions: Bool

    let ring: Ring
    /// What connects under way read their address from, until they are handed over.
    var connectAddresses: [UnsafeMutablePointer<sockaddr_storage>] = unsafe []
    private let box: LoopBox<UringState>
    /// Sockets of connections by slot; those beyond the capacity send by descriptor.
    let files: FileTable
    private var failedRemovals = 0

    private static let submissionCapacity = 4096

    /// Called on the loop's own thread: the ring takes submissions from no other.
    package init(capabilities: UringCapabilities) throws(SystemError) {
        ring = try Ring(submissionEntries: UInt32(Self.submissionCapacity), completionEntries: 16384)
        let small = try BufferRing(.small, numberedFrom: 0, offered: UringState.firstOffer.small, in: ring)
        let large = try BufferRing(
            .large, numberedFrom: small.bufferCount, offered: UringState.firstOffer.large, in: ring)
        box = LoopBox(
            UringState(
                buffers: ReceiveBuffers(small: small, large: large),
                headers: MessageHeaders(capacity: Self.submissionCapacity)))
        files = FileTable(in: ring, capacity: 16384)
        sendsInBatches = capabilities.sendsInBatches
        gathersCompletions = capabilities.gathersCompletions
        address = DriverAddress(
            wakeUp: try WakeUpEvent(), direct: capabilities.notifiesRings ? ring.descriptor : nil)
        watchWakeUps()
    }

    /// In place: no exclusivity check, by the rule of `LoopBox`.
    @inline(__always)
    var state: UringState {
        unsafeAddress { unsafe UnsafePointer(box.address) }
        unsafeMutableAddress { unsafe box.address }
    }

    package var unsubmittedCount: Int { ring.unsubmittedCount }

    package func accept(on listener: Int32, token: Token) {
        ring.accept(on: listener, userData: token.rawValue)
    }

    package func receive(on socket: Int32, into size: ReceiveBufferSize, token: Token) {
        if size == .large {
            state.largeReceivers.insert(token.slot)
        } else if !state.largeReceivers.isEmpty {
            state.largeReceivers.remove(token.slot)
        }
        ring.receive(on: socket, group: size.rawValue, userData: token.rawValue)
    }

    package func opened(_ socket: Int32, slot: UInt32) {
        files.insert(socket, at: Int(slot), in: ring, userData: unanswered)
    }

    package func cancel(_ token: Token, answer: Token) {
        ring.cancel(token.rawValue, userData: answer.rawValue)
    }

    package func close(_ socket: Int32, slot: UInt32) {
        files.remove(Int(slot), in: ring, userData: Token(.driver, slot: slot).rawValue)
        ring.close(socket, userData: unanswered)
    }

    package func notify(_ other: DriverAddress, token: Token) {
        guard let direct = other.direct, address.direct != nil else { return other.wakeUp.ring() }
        ring.notify(ring: direct, message: Token(.notification).rawValue, userData: token.rawValue)
    }

    package func wait(milliseconds: UInt64?) {
        if state.isShort.small || state.isShort.large { offerMoreBuffers() }
        if let error = ring.submitAndWait(milliseconds: milliseconds) {
            fatalError("io_uring_enter was refused: \(error)")
        }
        if unsafe state.headers.areUsed || !connectAddresses.isEmpty { releaseWhatWasRead() }
    }

    package func wait(milliseconds: UInt64?, gathering count: Int, microseconds: UInt32) {
        if state.isShort.small || state.isShort.large { offerMoreBuffers() }
        if let error = ring.submitAndGather(count, microseconds: microseconds, milliseconds: milliseconds) {
            fatalError("io_uring_enter was refused: \(error)")
        }
        if unsafe state.headers.areUsed || !connectAddresses.isEmpty { releaseWhatWasRead() }
    }

    package func nextCompletion() -> DriverCompletion? {
        guard let completion = ring.nextCompletion() else { return nil }
        let token = Token(rawValue: completion.userData)
        if token.operation == .wakeUp { watchWakeUps() }
        if token.operation == .driver { removeFileAgain(token) }
        let result = completion.result < 0 ? failed(token, completion.result) : completion.result
        return DriverCompletion(
            token: token, result: result, hasMore: completion.hasMore,
            buffer: completion.buffer.map { ReceiveBuffer(number: $0) })
    }

    /// What the loop is told of an error, after what the driver does about it.
    private func failed(_ token: Token, _ error: Int32) -> Int32 {
        switch (error, token.operation) {
        // The kernel had no memory to register the socket: nothing was sent, and sends go by the descriptor now.
        case (-EBADF, .batchedSend) where files.forget(Int(token.slot)): return -EAGAIN
        case (-ENOBUFS, .receive) where state.largeReceivers.contains(token.slot): state.isShort.large = true
        case (-ENOBUFS, .receive): state.isShort.small = true
        default: break
        }
        return error
    }

    /// Offers twice as many buffers, if there are more, in front of the receives that are armed again.
    private func offerMoreBuffers() {
        func doubled(_ count: Int, of buffers: borrowing BufferRing) -> Int {
            let more = count..<min(2 * count, buffers.bufferCount)
            buffers.offer(more)
            return more.upperBound
        }
        if state.isShort.small { state.offered.small = doubled(state.offered.small, of: state.buffers.small) }
        if state.isShort.large { state.offered.large = doubled(state.offered.large, of: state.buffers.large) }
        state.isShort = (false, false)
    }

    package func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer {
        unsafe state.buffers.memory(of: buffer)
    }

    package func giveBack(_ buffer: ReceiveBuffer) { state.buffers.giveBack(buffer) }

    package func bufferCount(_ size: ReceiveBufferSize) -> Int { state.buffers.count(size) }

    /// The kernel had no memory to take a socket out of its table, and so keeps it open: the peer would never hear of
    /// the close. After some tries in a row it is left to the place's next connection to drive the socket out.
    private func removeFileAgain(_ token: Token) {
        guard failedRemovals < Self.removalTries else {
            failedRemovals = 0
            return
        }
        failedRemovals += 1
        files.removeAgain(Int(token.slot), in: ring, userData: token.rawValue)
    }

    private static let removalTries = 100

    private func watchWakeUps() {
        unsafe ring.read(
            address.wakeUp.descriptor, into: address.wakeUp.count, userData: Token(.wakeUp).rawValue)
    }
}

/// Everything that changes in the driver with most operations.
struct UringState: ~Copyable {
    static let firstOffer = (small: 64, large: 8)

    var buffers: ReceiveBuffers<BufferRing>
    var headers: MessageHeaders
    /// How many buffers of each size the kernel has been offered: hardly more than one turn has needed, since it fills
    /// one after the other, whichever came back last, and so all of them become resident.
    var offered = firstOffer
    /// Whether a receive has found no buffer of a size since the last wait.
    var isShort = (small: false, large: false)
    /// Slots whose last receive was to use large buffers.
    var largeReceivers: Set<UInt32> = []
}

private let unanswered = Token(.unanswered).rawValue

extension ReceiveBuffer {
    /// A completion names its buffer, but not the group it is of: the numbers of large ones follow those of small ones.
    @inline(__always)
    fileprivate init(number: UInt16) {
        let smallCount = UInt16(truncatingIfNeeded: ReceiveBufferSize.small.bufferCount)
        self = number < smallCount ? .init(.small, index: number) : .init(.large, index: number - smallCount)
    }
}

extension BufferRing: SameSizedBuffers {
    fileprivate init(
        _ size: ReceiveBufferSize, numberedFrom first: Int, offered: Int, in ring: borrowing Ring
    ) throws(SystemError) {
        try self.init(
            in: ring, group: size.rawValue, bufferSize: size.byteCount, bufferCount: size.bufferCount,
            firstNumber: UInt16(first), offeredCount: offered)
    }
}
