internal import Glibc
package import Reactor
internal import SystemCalls

/// What the loop asks for: noted down, handed over by the next wait.
extension SimulatedDriver {
    package func accept(on listener: Int32, token: Token) {
        law(!closedListeners.contains(listener), "accept on a closed listener")
        counts.accepts += 1
        begin(token, on: listener)
        operations.append(.accept(listener: listener, token))
    }

    package func opened(_ socket: Int32, slot: UInt32) {
        law(slots.updateValue(socket, forKey: slot) == nil, "slot \(slot) was opened twice")
    }

    package func close(_ socket: Int32, slot: UInt32) {
        if let opened = slots.removeValue(forKey: slot) {
            law(opened == socket, "slot \(slot) was closed by another socket")
        }
        let peer = peer(of: socket, "close")
        law(!peer.hasReceive, "close with a receive in flight")
        law(!peer.hasSend, "close with a send in flight")
        law(!peer.hasConnect, "close with a connect in flight")
        operations.append(.close(socket))
    }

    package func receive(on socket: Int32, into size: ReceiveBufferSize, token: Token) {
        let peer = peer(of: socket, "receive")
        law(!peer.hasReceive, "two receives on one socket")
        law(!peer.hasConnect, "a receive before the connection is there")
        peer.hasReceive = true
        counts.receives += 1
        begin(token, on: socket)
        operations.append(.receive(socket, size, token))
    }

    package func sendBatched(_ pieces: SendPieces, on socket: Int32, token: Token) {
        law(sendsInBatches, "a batched send that the driver does not offer")
        law(slots[token.slot] == socket, "a batched send on a slot that is not its socket's")
        unsafe send(pieces, on: socket, token, isBatched: true)
    }

    package func send(_ pieces: SendPieces, on socket: Int32, token: Token) {
        begin(token, on: socket)
        unsafe send(pieces, on: socket, token, isBatched: false)
    }

    private func send(_ pieces: SendPieces, on socket: Int32, _ token: Token, isBatched: Bool) {
        let peer = peer(of: socket, "send")
        law(!peer.hasSend, "two sends on one socket")
        law(!peer.hasConnect, "a send before the connection is there")
        law(!peer.hasSeenEnd, "a send behind the FIN")
        peer.hasSend = true
        counts.sends += 1
        unsafe operations.append(.send(socket, SimulatedMessage(pieces), token, isBatched: isBatched))
    }

    package func peerAddress(of socket: Int32) -> SocketAddress? { peers[socket]?.address }

    package func untakenByteCount(of socket: Int32) -> Int { peer(of: socket, "a look").untakenByteCount }

    package func peerHasEnded(_ socket: Int32) -> Bool { peer(of: socket, "a look").isGone }

    package func cancel(_ token: Token, answer: Token) {
        counts.cancels += 1
        operations.append(.cancel(token, answer: answer))
    }

    package func shutdownWriting(_ socket: Int32) {
        law(!peer(of: socket, "shutdown").hasSend, "a shutdown in front of a send's end")
        operations.append(.shutdownWriting(socket))
    }

    package func resetWhenClosed(_ socket: Int32) { peer(of: socket, "a reset").isReset = true }

    package func acceptWaiting(on listener: Int32) -> Int32? {
        law(!closedListeners.contains(listener), "accept on a closed listener")
        law(!accepts.keys.contains(listener), "a look at a listener with an accept armed")
        guard openCount < options.descriptorLimit, let peer = waitingPeers[listener]?.first else { return nil }
        takeWaitingPeer(of: listener)
        return open(peer)
    }

    package func ignoreHandshakes(on listener: Int32) { listenersThatIgnore.insert(listener) }

    package func closeListener(_ listener: Int32) {
        law(closedListeners.insert(listener).inserted, "listener \(listener) was closed twice")
        law(inFlight.values.allSatisfy { $0 != listener }, "close with an accept in flight")
        for peer in waitingPeers.removeValue(forKey: listener) ?? [] { peer.wasRefused = true }
    }

    package func notify(_ other: DriverAddress, token: Token) {
        guard let direct = other.direct else { return other.wakeUp.ring() }
        notified.append(direct)
        guard refusedNotifications == 0 else {
            refusedNotifications -= 1
            return answer(token, -EOVERFLOW)
        }
        reach(direct)
    }

    func begin(_ token: Token, on descriptor: Int32) {
        law(inFlight.updateValue(descriptor, forKey: token) == nil, "two operations with one token")
    }

    /// The loop has seen an operation's last answer.
    func settle(_ token: Token) {
        guard let descriptor = inFlight.removeValue(forKey: token), let peer = peers[descriptor] else { return }
        switch token.operation {
        case .send: peer.hasSend = false
        case .connect: peer.hasConnect = false
        default: peer.hasReceive = false
        }
    }

    func peer(of socket: Int32, _ operation: String) -> SimulatedPeer {
        guard let peer = peers[socket] else { fatalError("\(operation) on a closed descriptor, \(socket)") }
        return peer
    }
}

// MARK: receive buffers

extension SimulatedDriver {
    package func memory(of buffer: ReceiveBuffer) -> UnsafeMutableRawBufferPointer {
        unsafe buffers(buffer.size)[buffer.index]
    }

    package func giveBack(_ buffer: ReceiveBuffer) {
        let memory = unsafe memory(of: buffer)
        for peer in openPeers {
            guard let send = peer.send else { continue }
            let isBorrowed = unsafe send.pieces.contains { unsafe $0.overlaps(memory) }
            law(!isBorrowed, "a receive buffer came back while a send borrows it")
        }
        buffers(buffer.size).giveBack(buffer.index)
    }

    package func bufferCount(_ size: ReceiveBufferSize) -> Int { buffers(size).count }

    func buffers(_ size: ReceiveBufferSize) -> SimulatedBuffers { size == .small ? small : large }
}

extension UnsafeRawBufferPointer {
    fileprivate func overlaps(_ other: UnsafeMutableRawBufferPointer) -> Bool {
        let start = UInt(bitPattern: baseAddress)
        let otherStart = UInt(bitPattern: other.baseAddress)
        return start < otherStart + UInt(other.count) && otherStart < start + UInt(count)
    }
}
