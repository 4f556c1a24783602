import HTTPProtocol
import IOUring
import Reactor

/// Connecting: every address of the host gets its chance, IPv6 and IPv4 by turns, a new one begins when the last has
/// failed or has taken a quarter of a second, and the first that is connected wins (RFC 8305 §4, §5).
extension ConnectionAttempt {
    /// The Connection Attempt Delay (RFC 8305 §5), in milliseconds.
    static let nextCandidateDelay: UInt64 = 250

    /// Begins, at the first URL or at a redirect's.
    func begin() {
        phase = .nameResolution
        parser = .init()
        interimCount = 0
        refusal = nil
        if url.isSecure { return failLater(.invalidRequest("wss:// is not part of this version")) }
        if let path = url.unixPath {
            guard let address = ConnectAddress(unixPath: path) else {
                return failLater(.invalidURL("\(path) is too long for the path of a Unix socket"))
            }
            return resolved([address])
        }
        let host = url.host == "localhost" ? "127.0.0.1" : url.host
        guard let address = ConnectAddress(host: host, port: UInt16(url.port)) else {
            return failLater(.nameNotResolved(host: url.host, "names are not part of this version"))
        }
        resolved([address])
    }

    /// The host's addresses are known, the ones to prefer first.
    func resolved(_ addresses: [ConnectAddress]) {
        phase = .connection
        candidates = addresses[...]
        lastFailure = nil
        tryNextCandidate()
    }

    /// Starts the next address, or fails when there is none left and none under way.
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
            return failLater(lastFailure ?? .nameNotResolved(host: url.host, "it has no addresses"))
        }
        if !candidates.isEmpty { nextCandidateTime = loop.now + Self.nextCandidateDelay }
        if let newest = racing.last { setDeadline(on: Connection(newest.slot)) }
    }

    private func connect(to address: ConnectAddress) throws(WebSocketClientError) {
        var source = try request.source()
        // A Unix socket, or an address of the other family, has no use for it.
        if let bound = source, !bound.hasSameFamily(as: address) { source = nil }
        do {
            let context = unsafe ConnectionRole.outbound(self).context
            let slot = try unsafe loop.loop.connect(to: address, from: source, context: context)
            racing.append(Racer(slot: slot, address: address))
        } catch {
            throw .cannotConnect(to: address.description, error.description)
        }
    }

    /// Each connection has one deadline: that of the newest is also for the next address.
    private func setDeadline(on connection: Connection) {
        connection.setDeadline(min(nextCandidateTime ?? deadline, deadline))
    }

    func deadlineReached(_ connection: Connection) {
        if loop.now >= deadline {
            if let refusal { return fail(.refused(refusal.answer)) }
            return fail(.timedOut(phase))
        }
        if let nextCandidateTime, loop.now >= nextCandidateTime { tryNextCandidate() }
        if !isOver { setDeadline(on: connection) }
    }

    /// The first one wins.
    func connected(_ connection: Connection) {
        candidates = []
        nextCandidateTime = nil
        for racer in racing where racer.slot != connection.slot { Self.abandon(Connection(racer.slot)) }
        racing.removeAll { $0.slot != connection.slot }
        connection.setDeadline(deadline)
        sendRequest(on: connection)
    }

    /// A connection has failed, or has ended before there was a socket.
    func closed(_ connection: Connection, _ reason: DisconnectReason) {
        guard let index = racing.firstIndex(where: { $0.slot == connection.slot }) else { return }
        let address = racing.remove(at: index).address
        guard phase == .connection else { return ended() }
        lastFailure = .cannotConnect(to: address.description, reason.description)
        // Another one under way has its own time; only what has failed makes room for the next at once.
        tryNextCandidate()
    }
}

extension DisconnectReason {
    /// The kernel's words.
    fileprivate var description: String {
        if case .error(let code) = self { SystemError(code).description } else { "the connection was closed" }
    }
}
