internal import Glibc
internal import Reactor

/// What the simulated kernel does within a wait.
extension SimulatedDriver {
    /// Begins the operations that the loop has asked for, in order.
    func handOver() {
        let count = min(operations.count, options.submissionLimit)
        let begun = operations[..<count]
        operations.removeFirst(count)
        for operation in begun { begin(operation) }
    }

    private func begin(_ operation: SimulatedOperation) {
        switch operation {
        case .accept(let listener, let token): accepts[listener] = token
        case .connect(let socket, let token): peers[socket]?.connect = token
        case .receive(let socket, let size, let token): peers[socket]?.receive = (token, size)
        case .send(let socket, let message, let token, let isBatched):
            guard let peer = peers[socket] else { return }
            if isBatched {
                peer.hasSend = false
                unsafe sendBatched(message.pieces, to: peer, token)
            } else {
                peer.send = unsafe SimulatedSend(token: token, pieces: message.pieces)
            }
        case .cancel(_, let answer) where missedCancels > 0:
            missedCancels -= 1
            self.answer(answer, -ENOENT)
        case .cancel(let token, let answer):
            if inFlight[token] == nil { self.answer(answer, -ENOENT) }
            if let descriptor = inFlight[token] { cancel(token, on: descriptor) }
        case .shutdownWriting(let socket): peers[socket]?.shutDownWriting()
        case .close(let descriptor): close(begunFor: descriptor)
        }
    }

    private func sendBatched(_ pieces: [UnsafeRawBufferPointer], to peer: SimulatedPeer, _ token: Token) {
        let total = unsafe pieces.reduce(0) { $0 + $1.count }
        if peer.hasReset { return answer(token, -EPIPE) }
        if options.runsOutOfMemory, chance(2_000) { return fault(token, -ENOMEM) }
        let taken = unsafe peer.take(pieces)
        if taken < total { fault(token, taken == 0 ? -EAGAIN : Int32(taken)) }
    }

    private func cancel(_ token: Token, on descriptor: Int32) {
        if accepts[descriptor] == token {
            accepts[descriptor] = nil
        } else if let peer = peers[descriptor], peer.connect == token {
            peer.connect = nil
        } else if let peer = peers[descriptor], peer.receive?.token == token {
            peer.receive = nil
        } else if let peer = peers[descriptor], peer.send?.token == token {
            peer.send = nil
        } else {
            return  // over, and answered
        }
        answer(token, -ECANCELED)
    }

    private func close(begunFor descriptor: Int32) {
        guard let peer = peers.removeValue(forKey: descriptor) else { return }
        openPeers.removeAll { $0 === peer }
        freeDescriptors.append(descriptor)
        law(peer.receive == nil && peer.send == nil && peer.connect == nil, "close with an operation in flight")
        peer.closeSocket()
    }

    /// Ordinary sends go on where there is room.
    func moveSends() {
        for peer in openPeers {
            guard let send = peer.send else { continue }
            let taken = peer.hasReset ? 0 : unsafe peer.take(send.pieces)
            if peer.hasReset || taken > 0 {
                peer.send = nil
                answer(send.token, peer.hasReset ? -ECONNRESET : Int32(taken))
            }
        }
    }

    func moveAccepts() {
        guard !waitingPeers.isEmpty else { return }
        for (listener, token) in accepts.sorted(by: { $0.key < $1.key }) {
            while accepts[listener] != nil, let peer = waitingPeers[listener]?.first {
                let error =
                    acceptErrors.isEmpty
                    ? openCount < options.descriptorLimit ? 0 : EMFILE : acceptErrors.removeFirst()
                if error != 0 {
                    accepts[listener] = nil
                    answer(token, -error)
                } else {
                    takeWaitingPeer(of: listener)
                    let descriptor = open(peer)
                    if !options.acceptsRepeatedly { accepts[listener] = nil }
                    answer(token, descriptor, hasMore: options.acceptsRepeatedly)
                }
            }
        }
    }

    /// The first that waits for a listener does so no longer.
    func takeWaitingPeer(of listener: Int32) {
        waitingPeers[listener]?.removeFirst()
        if waitingPeers[listener]?.isEmpty ?? true { waitingPeers[listener] = nil }
    }

    /// A descriptor for a peer that is accepted.
    func open(_ peer: SimulatedPeer) -> Int32 {
        let descriptor = makeDescriptor()
        peer.descriptor = descriptor
        openPeers.append(peer)
        peers[descriptor] = peer
        return descriptor
    }

    /// Input goes into buffers, as long as there are any.
    func moveInput() {
        for peer in openPeers {
            while let receive = peer.receive, moveInput(of: peer, receive.token, receive.size) {}
        }
    }

    /// False: there is nothing more at present.
    private func moveInput(of peer: SimulatedPeer, _ token: Token, _ size: ReceiveBufferSize) -> Bool {
        if peer.hasReset || peer.inputIsOver {
            peer.receive = nil
            answer(token, peer.hasReset ? -peer.resetError : 0)
        } else if peer.unreadByteCount == 0 {
            return false
        } else if chance(60) {
            // Out of buffers for a moment, or canceled though nobody asked.
            peer.receive = nil
            fault(token, chance(2) ? -ENOBUFS : -ECANCELED)
        } else if let index = buffers(size).take() {
            var buffer = unsafe buffers(size)[index]
            if chance(2) {
                let count = Int.random(in: 1...buffer.count, using: &random)
                unsafe buffer = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            }
            let count = unsafe peer.readInput(into: buffer)
            // A multishot may end at any time.
            let isLast = chance(20)
            if isLast {
                counts.faults += 1
                peer.receive = nil
            }
            answer(token, Int32(count), hasMore: !isLast, buffer: ReceiveBuffer(size, index: index))
        } else {
            peer.receive = nil
            fault(token, -ENOBUFS)
        }
        return true
    }

    private func fault(_ token: Token, _ result: Int32) {
        counts.faults += 1
        answer(token, result)
    }

    func answer(_ token: Token, _ result: Int32, hasMore: Bool = false, buffer: ReceiveBuffer? = nil) {
        answers.append(DriverCompletion(token: token, result: result, hasMore: hasMore, buffer: buffer))
    }
}
