import Reactor
import Synchronization

/// Counts the connections of all loops against the configuration's bounds. Loops ask it once per connection, and not at
/// all where there are no bounds.
final class ConnectionLedger: Sendable {
    /// With so many TLS connections over the bounds a loop shakes hands nevertheless, to answer them 503. It cuts the
    /// others: a handshake is what a flood would have it do.
    static let refusalsPerLoop = 32

    private let bound: Int?
    private let boundPerOwner: Int?
    private let count = Atomic<Int>(0)
    /// Counts of connections by their `SocketAddress.owner`.
    private let owners = Mutex<[UInt64: Int]>([:])

    init(_ limits: ServerLimits) {
        bound = limits.connections
        boundPerOwner = limits.connectionsPerAddress
    }

    var hasBounds: Bool { bound != nil || boundPerOwner != nil }

    /// Counts a connection, if there is room for it.
    func admit(_ connection: Connection) -> Admission? {
        if let bound, count.add(1, ordering: .relaxed).newValue > bound {
            count.subtract(1, ordering: .relaxed)
            return nil
        }
        guard let boundPerOwner, let owner = connection.remoteAddress?.owner else { return Admission(owner: nil) }
        let hasRoom = owners.withLock { owners in
            let count = owners[owner, default: 0]
            guard count < boundPerOwner else { return false }
            owners[owner] = count + 1
            return true
        }
        if hasRoom { return Admission(owner: owner) }
        if bound != nil { count.subtract(1, ordering: .relaxed) }
        return nil
    }

    /// Gives back the place of a connection that was let in and has ended.
    func dismiss(_ admission: Admission) {
        if bound != nil { count.subtract(1, ordering: .relaxed) }
        guard let owner = admission.owner else { return }
        owners.withLock { owners in
            let count = owners[owner, default: 1]
            owners[owner] = count > 1 ? count - 1 : nil
        }
    }

    /// How many owners have connections: for tests.
    var ownerCount: Int { owners.withLock(\.count) }
}

/// What has to be given back when a connection ends.
struct Admission {
    /// Whom the connection belongs to, where owners are counted and it has one.
    let owner: UInt64?
}

extension SocketLoop {
    /// Whether to shake hands with a TLS connection. It is counted from here on: until the handshake's deadline it
    /// holds as much as any other.
    func accepts(_ connection: Connection) -> Bool {
        if admit(connection) { return true }
        guard refusals.count < ConnectionLedger.refusalsPerLoop else {
            events.refusedConnections.add(1)
            return false
        }
        refusals.insert(connection.id)
        return true
    }

    func abandoned(_ connection: Connection) { dismiss(connection) }

    /// Whether the server's bounds have room for a connection; it is counted if so, once.
    func admit(_ connection: Connection) -> Bool {
        guard core.ledger.hasBounds else { return true }
        if admissions[connection.id] != nil { return true }
        refusals.remove(connection.id)
        guard let admission = core.ledger.admit(connection) else { return false }
        admissions[connection.id] = admission
        return true
    }

    /// Notes the end of a connection, whether it was let in or not.
    func dismiss(_ connection: Connection) {
        if !refusals.isEmpty { refusals.remove(connection.id) }
        guard !admissions.isEmpty, let admission = admissions.removeValue(forKey: connection.id) else { return }
        core.ledger.dismiss(admission)
    }
}
