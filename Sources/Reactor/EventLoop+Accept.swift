internal import Glibc
internal import SystemCalls

/// A listener as one loop sees it: its own socket, bound to the address that all loops share.
package struct LoopListener {
    let descriptor: Int32
    /// How its connections speak TLS; nil if they are plain.
    let tls: TLSServer?
    /// A socket that one loop alone has, of a Unix listener or handed over: its connections go to the loop with the
    /// fewest, whatever the placement. Accepted on by all loops, it would not spread them: the kernel wakes the same
    /// one each time.
    var handsOut = false
    /// Other processes may listen on the same port.
    var isShared = false
    /// When the listener is closed (ms): handshakes that had begun are completed until then.
    var closeTime: UInt64?
    /// The file of a Unix socket, which goes away with it.
    var file: SocketFile?
    /// An accept is armed.
    var isAccepting = false
    /// When to try again after the descriptors had run out, or another error (ms).
    var retryTime: UInt64?
    var isClosed = false
    /// The log has been told that accepting fails, and hears no more of it until one succeeds.
    var hasReportedExhaustion = false

    package init(descriptor: Int32, tls: TLSServer? = nil) {
        self.descriptor = descriptor
        self.tls = tls
    }
}

extension EventLoop {
    private static let acceptRetryInterval: UInt64 = 200

    package func listen(on listeners: [LoopListener]) {
        state.listeners = listeners
        for index in state.listeners.indices { armAccept(index) }
    }

    private func armAccept(_ index: Int) {
        let listener = state.listeners[index]
        guard !state.hasStoppedAccepting, !listener.isAccepting, !listener.isClosed else { return }
        state.listeners[index].isAccepting = true
        state.listeners[index].retryTime = nil
        driver.accept(on: listener.descriptor, token: Token(.accept, slot: UInt32(index)))
    }

    func accepted(_ completion: DriverCompletion) {
        let index = Int(completion.token.slot)
        if !completion.hasMore { state.listeners[index].isAccepting = false }
        if let error = completion.error {
            acceptFailed(index, error)
        } else {
            state.listeners[index].hasReportedExhaustion = false
            statistics.accepted.add(1)
            place(completion.result, listener: index)
        }
        if state.hasStoppedAccepting {
            if !completion.hasMore, state.listeners[index].closeTime == nil { drainAndClose(index) }
        } else if !completion.hasMore, state.listeners[index].retryTime == nil {
            armAccept(index)
        }
    }

    private func acceptFailed(_ index: Int, _ error: SystemError) {
        switch error {
        case .connectionAborted, .interrupted, .canceled, .wouldBlock:
            return  // the peer has gone before it was accepted, or the accept was canceled
        default:
            break
        }
        guard !state.hasStoppedAccepting else { return }
        // The connection stays in the kernel's queue, or the error lasts: trying at once would spin.
        state.listeners[index].retryTime = now + Self.acceptRetryInterval
        guard !state.listeners[index].hasReportedExhaustion else { return }
        state.listeners[index].hasReportedExhaustion = true
        switch error {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBuffers, .outOfMemory:
            group.reportExhaustion(error, log: log)
        default:
            log(.error, "a listener cannot accept (\(error)): trying again every \(Self.acceptRetryInterval) ms")
        }
    }

    /// Takes a connection, or hands it to the loop that has the fewest.
    func place(_ descriptor: Int32, listener index: Int) {
        let target = state.listeners[index].handsOut ? group.emptiestLoop : group.placement(accepting: self.index)
        let listener = UInt8(index)
        let index = self.index
        group.statistics[target].connections.addShared(1)
        guard target != index else { return open(descriptor, listener: listener) }
        if group.mailboxes[target].push(.adopt(descriptor: descriptor, listener: listener), from: index) {
            state.posted.insert(target)
        } else {
            group.statistics[target].connections.addShared(-1)
            group.statistics[index].connections.addShared(1)
            open(descriptor, listener: listener)
        }
    }

    func open(_ descriptor: Int32, listener: UInt8) {
        let connection = state.connections.insert(loop: self)
        connection.state.descriptor = descriptor
        driver.opened(descriptor, slot: connection.state.slot)
        connection.state.listenerIndex = listener
        if let tls = state.listeners[Int(listener)].tls { return beginTLS(connection, tls) }
        connection.state.move(to: .open)
        armReceive(connection)
        unsafe handler.opened(Connection(connection))
    }

    // MARK: out of descriptors

    var acceptRetryTime: UInt64? { state.listeners.lazy.compactMap(\.retryTime).min() }

    func retryAcceptingAfterPause() {
        for index in state.listeners.indices {
            if let time = state.listeners[index].retryTime, time <= now { armAccept(index) }
        }
    }

    /// A descriptor has become free: a listener that waits for one need not wait for its time.
    func retryAccepting() {
        for index in state.listeners.indices where state.listeners[index].retryTime != nil {
            state.listeners[index].retryTime = now
        }
    }
}
