internal import CSystemCalls
internal import Glibc
internal import SystemCalls

/// A send that found its socket full. The vector is a copy: the send queue may move its own.
@safe
struct WaitingSend {
    let token: Token
    let pieces: [SendPiece]
}

/// An outbound connection under way.
struct OutboundConnect {
    let token: Token
    let address: ConnectAddress
    /// The queue of the Unix socket was full. Nobody tells when it has room, so the connect is tried again.
    var waitsForQueue = false
}

extension EpollDriver {
    package func sendBatched(_ pieces: SendPieces, on socket: Int32, token: Token) {
        var length = 0
        for index in unsafe 0..<pieces.count { length += unsafe pieces[index].count }
        let taken = unsafe Self.send(pieces, on: socket)
        if taken < length { complete(token, Int32(clamping: taken)) }
    }

    package func send(_ pieces: SendPieces, on socket: Int32, token: Token) {
        let taken = unsafe Self.send(pieces, on: socket)
        guard taken == -Int(EAGAIN) else { return complete(token, Int32(clamping: taken)) }
        state.sockets[Int(token.slot)].flags.insert(.sends)
        unsafe state.waitingSends[token.slot] = WaitingSend(
            token: token, pieces: Array(UnsafeBufferPointer(start: pieces.start, count: pieces.count)))
    }

    func continueSend(_ slot: UInt32) {
        guard let send = state.waitingSends[slot] else { return }
        let socket = state.sockets[Int(slot)].descriptor
        var pieces = unsafe send.pieces
        let taken = unsafe pieces.withUnsafeMutableBufferPointer {
            unsafe Self.send(SendPieces(start: $0.baseAddress!, count: $0.count), on: socket)
        }
        guard taken != -Int(EAGAIN) else { return }
        endWaitingSend(slot)
        complete(send.token, Int32(clamping: taken))
    }

    func endWaitingSend(_ slot: UInt32) {
        state.waitingSends[slot] = nil
        state.sockets[Int(slot)].flags.remove(.sends)
    }

    /// Returns the byte count, or a negated errno. One piece goes without a vector, by the plain call.
    private static func send(_ pieces: SendPieces, on socket: Int32) -> Int {
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        while true {
            let taken: Int
            if unsafe pieces.count == 1 {
                taken = unsafe Glibc.send(socket, pieces[0].baseAddress!, pieces[0].count, flags)
            } else {
                var message = unsafe msghdr()
                // Safe: a piece is laid out as an `iovec`, which `DriverTests` watches.
                unsafe message.msg_iov = UnsafeMutableRawPointer(pieces.start).assumingMemoryBound(to: iovec.self)
                unsafe message.msg_iovlen = pieces.count
                taken = unsafe sendmsg(socket, &message, flags)
            }
            if taken >= 0 { return taken }
            if errno != EINTR { return -Int(errno) }
        }
    }
}

// MARK: outbound connections

extension EpollDriver {
    package func connect(_ socket: Int32, to address: ConnectAddress, token: Token) {
        let flags = fcntl(socket, F_GETFL)
        guard flags >= 0, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else { return complete(token, -errno) }
        occupy(token.slot, by: socket)
        state.sockets[Int(token.slot)].flags.insert(.connects)
        state.connects[token.slot] = OutboundConnect(token: token, address: address)
        begin(token.slot)
    }

    private func begin(_ slot: UInt32) {
        guard let connect = state.connects[slot] else { return }
        var storage = connect.address.storage
        let socket = state.sockets[Int(slot)].descriptor
        let result = unsafe withUnsafePointer(to: &storage) {
            unsafe UnsafeRawPointer($0).withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(socket, $0, connect.address.length)
            }
        }
        let error = result == 0 ? 0 : errno
        switch error {
        case EAGAIN: state.connects[slot]?.waitsForQueue = true
        // An interrupted connect goes on by itself. Registered only now: until then epoll calls the socket hung up.
        case 0, EINPROGRESS, EINTR:
            state.connects[slot]?.waitsForQueue = false
            let isRegistered = register(slot)
            if error == 0 || !isRegistered { settle(slot, isRegistered ? 0 : ENOMEM) }
        default: settle(slot, error)
        }
    }

    func retryConnects() {
        for (slot, connect) in state.connects where connect.waitsForQueue { begin(slot) }
    }

    /// The socket has become writable, or has failed.
    func finishConnect(_ slot: UInt32) {
        guard let connect = state.connects[slot], !connect.waitsForQueue else { return }
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let socket = state.sockets[Int(slot)].descriptor
        guard unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 else { return settle(slot, errno) }
        settle(slot, error)
    }

    private func settle(_ slot: UInt32, _ error: Int32) {
        guard let token = state.connects[slot]?.token else { return }
        endConnect(slot)
        complete(token, -error)
    }

    func endConnect(_ slot: UInt32) {
        state.connects[slot] = nil
        state.sockets[Int(slot)].flags.remove(.connects)
    }
}
