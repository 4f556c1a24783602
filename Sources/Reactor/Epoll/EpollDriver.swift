internal import CEpoll
internal import Glibc
package import SystemCalls

/// The driver over epoll, for wherever io_uring is forbidden or the kernel is too old for it. The folder `Epoll` is
/// this driver alone: no other file calls epoll, and what a loop decides is not for here.
///
/// A socket is registered once, edge-triggered, for everything that may happen to it. What epoll has told is kept, so
/// that a connection which still has something to be read costs no system call but the receive itself, and one whose
/// peer is silent none. Sends are made when they are asked for, which is at the end of the loop's turn; only those
/// that find a full socket wait.
@safe
package final class EpollDriver: Driver, KernelSockets {
    package let address: DriverAddress
    let epoll: Int32
    let events: UnsafeMutablePointer<epoll_event>
    static let eventCapacity = 1024
    private let box: LoopBox<EpollState>

    package init() throws(SystemError) {
        box = LoopBox(
            EpollState(
                buffers: ReceiveBuffers(small: try ReceiveBufferPool(.small), large: try ReceiveBufferPool(.large))))
        address = DriverAddress(wakeUp: try WakeUpEvent())
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = .allocate(capacity: Self.eventCapacity)
        guard epoll >= 0 else { throw .last }
        // Edge-triggered: each ring is told of once, and nobody has to read the count.
        guard register(address.wakeUp.descriptor, EpollSource.wakeUp, EPOLLIN.rawValue) else { throw .last }
    }

    deinit {
        if epoll >= 0 { Glibc.close(epoll) }
        unsafe events.deallocate()
    }

    /// In place: no exclusivity check, by the rule of `LoopBox`.
    @inline(__always)
    var state: EpollState {
        unsafeAddress { unsafe UnsafePointer(box.address) }
        unsafeMutableAddress { unsafe box.address }
    }

    package var sendsInBatches: Bool { true }
    package var gathersCompletions: Bool { false }
    package var unsubmittedCount: Int { 0 }

    // MARK: completions

    @inline(__always)
    func complete(_ token: Token, _ result: Int32, hasMore: Bool = false, buffer: ReceiveBuffer? = nil) {
        state.completions.append(DriverCompletion(token: token, result: result, hasMore: hasMore, buffer: buffer))
    }

    var hasCompletions: Bool { state.firstCompletion < state.completions.count }

    package func nextCompletion() -> DriverCompletion? {
        guard state.firstCompletion < state.completions.count else { return nil }
        let completion = state.completions[state.firstCompletion]
        state.firstCompletion += 1
        if state.firstCompletion == state.completions.count {
            state.completions.removeAll(keepingCapacity: true)
            state.firstCompletion = 0
        }
        return completion
    }

    // MARK: the ends of operations

    /// An operation that is not found here is over, and has completed.
    package func cancel(_ token: Token, answer: Token) {
        let slot = Int(token.slot)
        switch token.operation {
        case .receive:
            guard slot < state.sockets.count, state.sockets[slot].flags.contains(.receives),
                state.sockets[slot].receiveToken == token
            else { return }
            state.sockets[slot].flags.remove(.receives)
        case .accept:
            guard slot < state.listeners.count, state.listeners[slot].token == token else { return }
            state.listeners[slot].token = nil
        case .send:
            guard state.waitingSends[token.slot]?.token == token else { return }
            endWaitingSend(token.slot)
        case .connect:
            guard state.connects[token.slot]?.token == token else { return }
            endConnect(token.slot)
        case .unanswered, .batchedSend, .wakeUp, .notification, .notify, .cancel, .acceptCancel, .driver: return
        }
        complete(token, -ECANCELED)
    }

    /// epoll forgets a descriptor that is closed.
    package func close(_ socket: Int32, slot: UInt32) {
        if Int(slot) < state.sockets.count {
            // The slot's place in `readable` goes to its next connection, to which a look too many does no harm.
            occupy(slot, by: -1)
        }
        Glibc.close(socket)
    }

    package func notify(_ other: DriverAddress, token: Token) { other.wakeUp.ring() }

    // MARK: buffers

    package func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer {
        unsafe state.buffers.memory(of: buffer)
    }

    package func giveBack(_ buffer: ReceiveBuffer) { state.buffers.giveBack(buffer) }

    package func bufferCount(_ size: ReceiveBufferSize) -> Int { state.buffers.count(size) }
}

/// Everything that changes in the driver.
struct EpollState: ~Copyable {
    var buffers: ReceiveBuffers<ReceiveBufferPool>
    /// Connections by their slots.
    var sockets: [EpollSocket] = []
    var listeners: [EpollListener] = []
    /// Slots of connections that receive, and from which something may be received.
    var readable: [UInt32] = []
    /// By slot: sends that wait for room in their socket.
    var waitingSends: [UInt32: WaitingSend] = [:]
    /// By slot: outbound connections under way.
    var connects: [UInt32: OutboundConnect] = [:]
    var completions: [DriverCompletion] = []
    /// Where `nextCompletion` goes on; those before have been taken.
    var firstCompletion = 0
}

/// What an event is about, in the 64 bits that epoll keeps with a descriptor.
enum EpollSource {
    static let wakeUp: UInt64 = 2 << 32
    static func connection(_ slot: UInt32) -> UInt64 { UInt64(slot) }
    static func listener(_ index: UInt32) -> UInt64 { 1 << 32 | UInt64(index) }
}
