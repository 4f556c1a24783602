internal import CEpoll
internal import Glibc
package import IOUring

/// The driver over epoll, for wherever io_uring is forbidden or the kernel is too old for it.
///
/// A socket is registered once, edge-triggered, for everything that may happen to it. What epoll has told is kept, so
/// that a connection which still has something to be read costs no system call but the receive itself, and one whose
/// peer is silent none. Sends are made when they are asked for, which is at the end of the loop's turn; only those
/// that find a full socket wait.
@safe
package final class EpollDriver: Driver, KernelSockets {
    package let wakeUp: WakeUpEvent
    let epoll: Int32
    let small: ReceiveBufferPool
    let large: ReceiveBufferPool
    let events: UnsafeMutablePointer<epoll_event>
    static let eventCapacity = 1024
    /// Connections by their slots.
    @LoopOwned var sockets: [EpollSocket] = []
    @LoopOwned var listeners: [EpollListener] = []
    /// Slots of connections that receive, and from which something may be received.
    @LoopOwned var readable: [UInt32] = []
    /// By slot: sends that wait for room in their socket.
    @LoopOwned var waitingSends: [UInt32: WaitingSend] = [:]
    /// By slot: outbound connections under way.
    @LoopOwned var connects: [UInt32: OutboundConnect] = [:]
    @LoopOwned private var completions: [DriverCompletion] = []
    /// Completions before it have been taken.
    @LoopOwned private var firstCompletion = 0

    package init() throws(SystemError) {
        small = try ReceiveBufferPool(bufferSize: 4096, bufferCount: 512)
        large = try ReceiveBufferPool(bufferSize: 65536, bufferCount: 128)
        wakeUp = try WakeUpEvent()
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = .allocate(capacity: Self.eventCapacity)
        guard epoll >= 0 else { throw .last }
        // Edge-triggered: each ring is told of once, and nobody has to read the count.
        guard register(wakeUp.descriptor, EpollSource.wakeUp, EPOLLIN.rawValue) else { throw .last }
    }

    deinit {
        if epoll >= 0 { Glibc.close(epoll) }
        unsafe events.deallocate()
        _readable.deallocate()
        _sockets.deallocate()
        _listeners.deallocate()
        _waitingSends.deallocate()
        _connects.deallocate()
        _completions.deallocate()
        _firstCompletion.deallocate()
    }

    package var sendsInBatches: Bool { true }
    package var notificationAddress: Int32? { nil }
    package var gathersCompletions: Bool { false }
    package var unsubmittedCount: Int { 0 }

    // MARK: completions

    @inline(__always)
    func complete(_ token: Token, _ result: Int32, hasMore: Bool = false, buffer: UInt16? = nil) {
        completions.append(DriverCompletion(token: token, result: result, hasMore: hasMore, bufferIndex: buffer))
    }

    var hasCompletions: Bool { firstCompletion < completions.count }

    package func nextCompletion() -> DriverCompletion? {
        guard firstCompletion < completions.count else { return nil }
        let completion = completions[firstCompletion]
        firstCompletion += 1
        if firstCompletion == completions.count {
            completions.removeAll(keepingCapacity: true)
            firstCompletion = 0
        }
        return completion
    }

    // MARK: the ends of operations

    /// What is not found here is over, and has completed.
    package func cancel(_ token: Token, answer: Token) { cancel(token) }

    private func cancel(_ token: Token) {
        let slot = Int(token.slot)
        switch token.operation {
        case .receive, .receiveLarge:
            guard slot < sockets.count, sockets[slot].flags.contains(.receives), sockets[slot].receiveToken == token
            else { return }
            sockets[slot].flags.remove(.receives)
        case .accept:
            guard slot < listeners.count, listeners[slot].token == token else { return }
            listeners[slot].token = nil
        case .send:
            guard waitingSends[token.slot]?.token == token else { return }
            endWaitingSend(token.slot)
        case .connect:
            guard connects[token.slot]?.token == token else { return }
            endConnect(token.slot)
        case .unanswered, .batchedSend, .wakeUp, .notification, .notify, .cancel, .acceptCancel, .fileRemoval: return
        }
        complete(token, -ECANCELED)
    }

    package func cancelAll(on socket: Int32, slot: UInt32) {
        guard Int(slot) < sockets.count else { return }
        if sockets[Int(slot)].flags.contains(.receives) { cancel(sockets[Int(slot)].receiveToken) }
        if let send = waitingSends[slot] { cancel(send.token) }
        if let connect = connects[slot] { cancel(connect.token) }
    }

    package func close(_ descriptor: Int32) { Glibc.close(descriptor) }

    /// epoll forgets a descriptor that is closed.
    package func close(_ socket: Int32, slot: UInt32) {
        if Int(slot) < sockets.count {
            // Its place in the list of readable ones goes to the slot's next connection, to which a look too many does
            // no harm.
            occupy(slot, by: -1)
        }
        Glibc.close(socket)
    }

    package func notify(_ address: Int32, token: Token) {}

    // MARK: buffers

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
}

/// What an event is about, in the 64 bits that epoll keeps with a descriptor.
enum EpollSource {
    static let wakeUp: UInt64 = 2 << 32
    static func connection(_ slot: UInt32) -> UInt64 { UInt64(slot) }
    static func listener(_ index: UInt32) -> UInt64 { 1 << 32 | UInt64(index) }
}
