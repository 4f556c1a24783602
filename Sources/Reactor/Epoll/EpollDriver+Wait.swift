internal import CEpoll
internal import Glibc
internal import SystemCalls

/// Waiting, and what the events lead to.
extension EpollDriver {
    /// The edges that a connection is registered for.
    private static let everything = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue
    private static let inbound = EPOLLIN.rawValue | ends
    private static let outbound = EPOLLOUT.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue
    private static let ends = EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue

    /// How soon a connect is tried again that found a Unix socket's queue full (ms).
    private static let connectRetryInterval: UInt64 = 10

    package func wait(milliseconds: UInt64?) {
        var limit = milliseconds
        if hasCompletions || !state.readable.isEmpty || state.listeners.contains(where: \.isReady) {
            limit = 0
        } else if !state.connects.isEmpty, state.connects.values.contains(where: \.waitsForQueue) {
            limit = min(limit ?? .max, Self.connectRetryInterval)
        }
        let timeout = limit.map { Int32(clamping: $0) } ?? -1
        // An interrupted wait has brought nothing.
        let count = unsafe epoll_wait(epoll, events, Int32(Self.eventCapacity), timeout)
        for index in 0..<max(0, Int(count)) {
            let event = unsafe events[index]
            note(unsafe event.events, of: unsafe event.data.u64)
        }
        for index in state.listeners.indices where state.listeners[index].isReady { acceptWaiting(at: index) }
        receiveFromReadable()
        if !state.connects.isEmpty { retryConnects() }
    }

    package func wait(milliseconds: UInt64?, gathering count: Int, microseconds: UInt32) {
        preconditionFailure("this driver does not gather completions")
    }

    private func note(_ events: UInt32, of source: UInt64) {
        let index = Int(truncatingIfNeeded: source & 0xFFFF_FFFF)
        switch source >> 32 {
        case 0: noteConnection(events, UInt32(index))
        case 1: state.listeners[index].isReadable = true
        default: complete(Token(.wakeUp), 8)
        }
    }

    private func noteConnection(_ events: UInt32, _ slot: UInt32) {
        let index = Int(slot)
        if events & Self.inbound != 0 {
            state.sockets[index].flags.insert(events & Self.ends != 0 ? [.readable, .hungUp] : .readable)
            if state.sockets[index].flags.contains(.receives) { list(slot) }
        }
        let flags = state.sockets[index].flags
        guard events & Self.outbound != 0, !flags.isDisjoint(with: [.sends, .connects]) else { return }
        if flags.contains(.connects) { finishConnect(slot) } else { continueSend(slot) }
    }

    /// Asks epoll for a descriptor's edges. Returns whether it tells them; if not, errno says why.
    func register(_ descriptor: Int32, _ source: UInt64, _ events: UInt32) -> Bool {
        var event = unsafe epoll_event(events: events | EPOLLET.rawValue, data: epoll_data(u64: source))
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    /// A slot's connection begins.
    func occupy(_ slot: UInt32, by socket: Int32) {
        while state.sockets.count <= Int(slot) { state.sockets.append(EpollSocket()) }
        let isListed = state.sockets[Int(slot)].flags.contains(.listed)
        state.sockets[Int(slot)] = EpollSocket(descriptor: socket, flags: isListed ? .listed : [])
    }

    /// Returns whether there was memory for the registration.
    @discardableResult
    func register(_ slot: UInt32) -> Bool {
        let isRegistered = register(state.sockets[Int(slot)].descriptor, EpollSource.connection(slot), Self.everything)
        if isRegistered { state.sockets[Int(slot)].flags.insert(.registered) }
        return isRegistered
    }
}

extension EpollListener {
    /// Whether an accept is armed, and may find somebody.
    var isReady: Bool { token != nil && isReadable }
}
