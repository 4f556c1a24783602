import HTTPProtocol
import Reactor
import SystemCalls

/// Connecting: every address of the host gets its chance, IPv6 and IPv4 by turns, a new one begins when the last has
/// failed or has taken a quarter of a second, and the first that is connected wins (RFC 8305 §4, §5).
extension ConnectionAttempt {
    /// The Connection Attempt Delay (RFC 8305 §5), in milliseconds.
    static let nextCandidateDelay: UInt64 = 250

    /// Begins with the request's URL, or anew with a redirect's.
    func begin() {
        phase = .nameResolution
        parser = .init()
        interimCount = 0
        refusal = nil
        if let objection = request.objection { return failLater(.invalidRequest(objection)) }
        if let path = url.unixPath {
            guard let address = ConnectAddress(unixPath: path) else {
                return failLater(.invalidURL("\(path) is too long for the path of a Unix socket"))
            }
            return resolved([address])
        }
        let (host, number) = peer
        guard let port = UInt16(exactly: number), port > 0 else {
            return failLater(.invalidRequest("\(number) is not a port: 1 to 65535"))
        }
        resolve(host, port: port)
    }

    /// Finds the addresses of a host: at once where it is one, or this machine; else on the resolver's threads.
    private func resolve(_ host: String, port: UInt16) {
        if host == "localhost" {
            // RFC 6761 §6.3: no name server is asked.
            return resolved(["::1", "127.0.0.1"].compactMap { ConnectAddress(host: $0, port: port) })
        }
        if let address = ConnectAddress(host: host, port: port) { return resolved([address]) }
        let (core, id, executor) = (loop.core, id, loop.eventLoop.executor)
        resolution = core.resolver.resolve(host, port: port) { result in
            executor.execute { core.currentLoop?.attempts[id]?.resolved(result, host: host) }
        }
        loop.eventLoop.wakeHandler(at: deadline)
    }

    private func resolved(_ result: Resolution, host: String) {
        guard resolution.take() != nil else { return }
        switch result {
        case .addresses(let addresses): resolved(Self.interleaved(addresses))
        case .failed(let reason): fail(.nameNotResolved(hostname: host, reason))
        }
    }

    /// The addresses of both families by turns, beginning with the first one's (RFC 8305 §4); within each family the
    /// order stays.
    static func interleaved(_ addresses: [ConnectAddress]) -> [ConnectAddress] {
        guard let first = addresses.first else { return [] }
        var families = (
            addresses.filter { $0.hasSameFamily(as: first) }[...],
            addresses.filter { !$0.hasSameFamily(as: first) }[...]
        )
        var result: [ConnectAddress] = []
        while result.count < addresses.count {
            if let next = families.0.popFirst() { result.append(next) }
            if let next = families.1.popFirst() { result.append(next) }
        }
        return result
    }

    /// Connects, since the host's addresses are known: those to prefer come first.
    func resolved(_ addresses: [ConnectAddress]) {
        phase = .connection
        candidates = addresses[...]
        lastFailure = nil
        tryNextCandidate()
    }

    /// Connects to the next address, or fails when there is none left and no connection under way.
    func tryNextCandidate() {
        nextCandidateTime = nil
        while let address = candidates.popFirst() {
            do throws(WebSocketClientError) {
                try connect(to: address)
                break
            } catch {
                lastFailure = error
            }
        }
        guard !racing.isEmpty else {
            return failLater(lastFailure ?? .nameNotResolved(hostname: url.hostname, "it has no addresses"))
        }
        if !candidates.isEmpty { nextCandidateTime = loop.now + Self.nextCandidateDelay }
        if let newest = racing.last { setDeadline(on: Connection(newest.slot)) }
    }

    private func connect(to address: ConnectAddress) throws(WebSocketClientError) {
        var source = try request.source()
        // A Unix socket, or an address of the other family, has no use for a local address.
        if let bound = source, !bound.hasSameFamily(as: address) { source = nil }
        do {
            let context = unsafe ConnectionRole.outbound(self).context
            let slot = try unsafe loop.eventLoop.connect(to: address, from: source, context: context)
            racing.append(Racer(slot: slot, address: address))
        } catch {
            throw .cannotConnect(to: address.description, error.description)
        }
    }

    /// Sets the deadline of the newest connection, which is also for the next address.
    private func setDeadline(on connection: Connection) {
        connection.setDeadline(min(nextCandidateTime ?? deadline, deadline))
    }

    func deadlineReached(_ connection: Connection) {
        if loop.now >= deadline {
            if let refusal { return refused(refusal) }
            return fail(.timedOut(phase))
        }
        if let nextCandidateTime, loop.now >= nextCandidateTime { tryNextCandidate() }
        if !isOver { setDeadline(on: connection) }
    }

    /// Goes on with the connection that has come up first, and gives the others up.
    func connected(_ connection: Connection) {
        candidates = []
        nextCandidateTime = nil
        for racer in racing where racer.slot != connection.slot { Self.abandon(Connection(racer.slot)) }
        racing.removeAll { $0.slot != connection.slot }
        connection.setDeadline(deadline)
        proceed(on: connection)
    }

    /// Goes on without a connection that has failed, or has ended before there was a socket.
    func closed(_ connection: Connection, _ reason: DisconnectReason) {
        guard let index = racing.firstIndex(where: { $0.slot == connection.slot }) else { return }
        let address = racing.remove(at: index).address
        guard phase == .connection else { return ended() }
        lastFailure = .cannotConnect(to: address.description, reason.sentence)
        // Others under way have their own time; in place of the failed one the next begins at once.
        tryNextCandidate()
    }
}

extension DisconnectReason {
    /// Why the connection ended, in the kernel's words.
    package var sentence: String {
        if case .error(let code) = self { SystemError(code).description } else { "the connection was closed" }
    }
}
