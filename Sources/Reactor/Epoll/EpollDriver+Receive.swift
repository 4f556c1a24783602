internal import CEpoll
internal import CSystemCalls
internal import Glibc
internal import SystemCalls

/// Accepting and receiving: operations that stay armed, as io_uring's multishots do.
extension EpollDriver {
    /// Connections that a listener gives in one turn.
    private static let acceptsPerTurn = 64
    /// Receives of one connection in one turn. Of large buffers they bring what the loop hands on in a turn.
    private static let receivesPerTurn = 4

    package func opened(_ socket: Int32, slot: UInt32) {
        // An outbound connection has been registered by `connect`.
        guard Int(slot) >= state.sockets.count || state.sockets[Int(slot)].descriptor != socket else { return }
        occupy(slot, by: socket)
        register(slot)
    }

    package func receive(on socket: Int32, into size: ReceiveBufferSize, token: Token) {
        let slot = Int(token.slot)
        // Not registered, for want of memory: nobody would ever tell of the peer.
        guard state.sockets[slot].flags.contains(.registered) else { return complete(token, -ENOMEM) }
        state.sockets[slot].receiveToken = token
        state.sockets[slot].flags.insert(.receives)
        if size == .large {
            state.sockets[slot].flags.insert(.receivesLarge)
        } else {
            state.sockets[slot].flags.remove(.receivesLarge)
        }
        if state.sockets[slot].flags.contains(.readable) { list(token.slot) }
    }

    func list(_ slot: UInt32) {
        guard !state.sockets[Int(slot)].flags.contains(.listed) else { return }
        state.sockets[Int(slot)].flags.insert(.listed)
        state.readable.append(slot)
    }

    func receiveFromReadable() {
        // Sockets that are listed anew meanwhile are for the next turn.
        let count = state.readable.count
        for position in 0..<count {
            let slot = state.readable[position]
            state.sockets[Int(slot)].flags.remove(.listed)
            if state.sockets[Int(slot)].flags.isSuperset(of: [.receives, .readable]) { receive(slot) }
        }
        state.readable.removeFirst(count)
    }

    /// Receives until the socket is empty or has had its share of the turn.
    private func receive(_ slot: UInt32) {
        let index = Int(slot)
        let token = state.sockets[index].receiveToken
        let size: ReceiveBufferSize = state.sockets[index].flags.contains(.receivesLarge) ? .large : .small
        for _ in 0..<Self.receivesPerTurn {
            guard let buffer = state.buffers.take(size) else {
                // The loop arms the receive again when buffers have come back, in order; what epoll has told is kept.
                state.sockets[index].flags.remove(.receives)
                return complete(token, -ENOBUFS)
            }
            let memory = unsafe memory(of: buffer)
            let count = unsafe Self.receive(state.sockets[index].descriptor, memory)
            guard count > 0 else {
                giveBack(buffer)
                return endReceive(index, token, count)
            }
            complete(token, Int32(count), hasMore: true, buffer: buffer)
            // Less than there was room for: the socket is empty, and epoll tells when it is not any more.
            if count < memory.count, !state.sockets[index].flags.contains(.hungUp) {
                state.sockets[index].flags.remove(.readable)
                return
            }
        }
        list(slot)
    }

    /// - Parameter count: 0 at the peer's FIN, else a negated errno.
    private func endReceive(_ index: Int, _ token: Token, _ count: Int) {
        if count == -Int(EAGAIN) {
            state.sockets[index].flags.subtract([.readable, .hungUp])
        } else {
            state.sockets[index].flags.remove(.receives)
            complete(token, Int32(count))
        }
    }

    /// Returns the byte count, or a negated errno.
    private static func receive(_ socket: Int32, _ memory: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = unsafe recv(socket, memory.baseAddress!, memory.count, Int32(MSG_DONTWAIT))
            if count >= 0 { return count }
            if errno != EINTR { return -Int(errno) }
        }
    }

    // MARK: accept

    package func accept(on listener: Int32, token: Token) {
        let index = Int(token.slot)
        while state.listeners.count <= index { state.listeners.append(EpollListener(descriptor: -1)) }
        if state.listeners[index].descriptor != listener {
            state.listeners[index] = EpollListener(descriptor: listener)
            let flags = fcntl(listener, F_GETFL)
            guard flags >= 0, fcntl(listener, F_SETFL, flags | O_NONBLOCK) == 0,
                register(listener, EpollSource.listener(token.slot), EPOLLIN.rawValue)
            else { return complete(token, -errno) }
        }
        state.listeners[index].token = token
    }

    func acceptWaiting(at index: Int) {
        for _ in 0..<Self.acceptsPerTurn {
            guard let token = state.listeners[index].token else { return }
            let descriptor = ringcast_accept(state.listeners[index].descriptor)
            if descriptor >= 0 {
                complete(token, descriptor, hasMore: true)
            } else if descriptor == -EAGAIN {
                state.listeners[index].isReadable = false
                return
            } else {
                state.listeners[index].token = nil
                return complete(token, descriptor)
            }
        }
    }
}
