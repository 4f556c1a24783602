package import CSystemCalls
internal import Glibc
internal import IOUring
package import SystemCalls

/// The driver over io_uring.
@safe
package final class UringDriver: Driver, KernelSockets {
    package let sendsInBatches: Bool
    package let wakeUp: WakeUpEvent
    package let notificationAddress: Int32?
    package let gathersCompletions: Bool

    let ring: Ring
    /// What connects under way read their address from, until they are handed over.
    var connectAddresses: [UnsafeMutablePointer<sockaddr_storage>] = unsafe []
    private let small: BufferRing
    private let large: BufferRing
    /// How many buffers of each size the kernel may fill. It fills one after the other, whichever came back last, and
    /// so all of them become resident: there are hardly more than one turn has needed.
    private(set) var offered = (small: 64, large: 8)
    /// Whether a receive has found none since the last wait.
    private var isShort = (small: false, large: false)
    /// Connections, by their slots; those beyond it send by their descriptors.
    let files: FileTable
    private var failedRemovals = 0

    /// Called on the loop's own thread: the ring will take submissions from no other.
    package init(capabilities: UringCapabilities) throws(SystemError) {
        ring = try Ring(submissionEntries: 4096, completionEntries: 16384)
        small = try BufferRing(
            in: ring, group: ReceiveBufferSize.small.rawValue, bufferSize: 4096, bufferCount: 512,
            offeredCount: offered.small)
        large = try BufferRing(
            in: ring, group: ReceiveBufferSize.large.rawValue, bufferSize: 65536, bufferCount: 128,
            offeredCount: offered.large)
        files = FileTable(in: ring, capacity: 16384)
        sendsInBatches = capabilities.sendsInBatches
        notificationAddress = capabilities.notifiesRings ? ring.descriptor : nil
        gathersCompletions = capabilities.gathersCompletions
        wakeUp = try WakeUpEvent()
        watchWakeUps()
    }

    package var unsubmittedCount: Int { ring.unsubmittedCount }

    package func accept(on listener: Int32, token: Token) {
        ring.accept(on: listener, userData: token.rawValue)
    }

    package func receive(on socket: Int32, into size: ReceiveBufferSize, token: Token) {
        ring.receive(on: socket, group: size.rawValue, userData: token.rawValue)
    }

    package func opened(_ socket: Int32, slot: UInt32) {
        files.insert(socket, at: Int(slot), in: ring, userData: unanswered)
    }

    package func sendBatched(_ message: UnsafePointer<msghdr>, on socket: Int32, token: Token) {
        let place = Int(token.slot)
        let target = files.contains(place) ? SendTarget.registered(place) : .descriptor(socket)
        if let piece = unsafe Self.onlyPiece(of: message) {
            unsafe ring.sendBatched(piece, on: target, userData: token.rawValue)
        } else {
            unsafe ring.sendBatched(message, on: target, userData: token.rawValue)
        }
    }

    package func send(_ message: UnsafePointer<msghdr>, on socket: Int32, token: Token) {
        if let piece = unsafe Self.onlyPiece(of: message) {
            unsafe ring.send(piece, on: socket, userData: token.rawValue)
        } else {
            unsafe ring.send(message, on: socket, userData: token.rawValue)
        }
    }

    /// One piece goes by the plain operation, which spares the kernel the vector.
    private static func onlyPiece(of message: UnsafePointer<msghdr>) -> UnsafeRawBufferPointer? {
        guard unsafe message.pointee.msg_iovlen == 1 else { return nil }
        let piece = unsafe message.pointee.msg_iov.pointee
        return unsafe UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len)
    }

    package func cancel(_ token: Token, answer: Token) {
        ring.cancel(token.rawValue, userData: answer.rawValue)
    }

    package func cancelAll(on socket: Int32, slot: UInt32) {
        ring.cancelAll(on: socket, userData: unanswered)
    }

    package func close(_ descriptor: Int32) {
        ring.close(descriptor, userData: unanswered)
    }

    package func close(_ socket: Int32, slot: UInt32) {
        files.remove(Int(slot), in: ring, userData: Token(.fileRemoval, slot: slot).rawValue)
        close(socket)
    }

    package func notify(_ address: Int32, token: Token) {
        ring.notify(ring: address, message: Token(.notification).rawValue, userData: token.rawValue)
    }

    package func wait(milliseconds: UInt64?) {
        if isShort.small || isShort.large { offerMoreBuffers() }
        if let error = ring.submitAndWait(milliseconds: milliseconds) {
            fatalError("io_uring_enter was refused: \(error)")
        }
        if unsafe !connectAddresses.isEmpty { releaseConnectAddresses() }
    }

    package func wait(milliseconds: UInt64?, gathering count: Int, microseconds: UInt32) {
        if isShort.small || isShort.large { offerMoreBuffers() }
        if let error = ring.submitAndGather(count, microseconds: microseconds, milliseconds: milliseconds) {
            fatalError("io_uring_enter was refused: \(error)")
        }
        if unsafe !connectAddresses.isEmpty { releaseConnectAddresses() }
    }

    package func nextCompletion() -> DriverCompletion? {
        guard let completion = ring.nextCompletion() else { return nil }
        let token = Token(rawValue: completion.userData)
        if token.operation == .wakeUp { watchWakeUps() }
        if token.operation == .fileRemoval { removeFileAgain(token) }
        let result = completion.result < 0 ? failed(token, completion.result) : completion.result
        return DriverCompletion(
            token: token, result: result, hasMore: completion.hasMore, bufferIndex: completion.buffer)
    }

    /// What the loop is told instead of an error.
    private func failed(_ token: Token, _ error: Int32) -> Int32 {
        switch (error, token.operation) {
        // The kernel had no memory to register the socket: nothing was sent, and what waits goes by its descriptor.
        case (-EBADF, .batchedSend) where files.forget(Int(token.slot)): return -EAGAIN
        case (-ENOBUFS, .receive): isShort.small = true
        case (-ENOBUFS, .receiveLarge): isShort.large = true
        default: break
        }
        return error
    }

    /// In front of the receives that are armed again: twice as many buffers, as long as there are more.
    private func offerMoreBuffers() {
        func doubled(_ count: Int, of buffers: borrowing BufferRing) -> Int {
            let more = count..<min(2 * count, buffers.bufferCount)
            buffers.offer(more)
            return more.upperBound
        }
        if isShort.small { offered.small = doubled(offered.small, of: small) }
        if isShort.large { offered.large = doubled(offered.large, of: large) }
        isShort = (false, false)
    }

    package func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer {
        switch buffer.size {
        case .small: unsafe small.memory(of: buffer.index)
        case .large: unsafe large.memory(of: buffer.index)
        }
    }

    package func giveBack(_ buffer: ReceiveBuffer) {
        switch buffer.size {
        case .small: small.giveBack(buffer.index)
        case .large: large.giveBack(buffer.index)
        }
    }

    package func bufferCount(_ size: ReceiveBufferSize) -> Int {
        switch size {
        case .small: small.bufferCount
        case .large: large.bufferCount
        }
    }

    /// The kernel had no memory to take a socket out of its table, and so keeps it open: the peer would never hear of
    /// the close. Given up after some tries in a row; the place's next connection drives the socket out.
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
        unsafe ring.read(wakeUp.descriptor, into: wakeUp.count, userData: Token(.wakeUp).rawValue)
    }
}

private let unanswered = Token(.unanswered).rawValue
