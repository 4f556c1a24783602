import Reactor
import Synchronization

/// Counts the connections of all loops against the configuration's bounds. Asked once per connection, and not at all
/// where there are no bounds.
final class ConnectionLedger: Sendable {
    /// Connections over the bounds with which a loop shakes hands nevertheless, at most, to tell them so. The others
    /// are cut: nobody can be told anything before TLS is there, and a handshake is what a flood would have us do.
    static let refusalsPerLoop = 32

    private let bound: Int?
    private let boundPerOwner: Int?
    private let count = Atomic<Int>(0)
    /// Connections by whom they belong to; see `SocketAddress.owner`.
    private let owners = Mutex<[UInt64: Int]>([:])

    init(_ limits: ServerLimits) {
        bound = limits.connections
        boundPerOwner = limits.connectionsPerAddress
    }

    var hasBounds: Bool { bound != nil || boundPerOwner != nil }

    /// Lets a connection in, if there is room for it.
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

    /// A connection that was let in has ended.
    func dismiss(_ admission: Admission) {
        if bound != nil { count.subtract(1, ordering: .relaxed) }
        guard let owner = admission.owner else { return }
        owners.withLock { owners in
            let count = owners[owner, default: 1]
            owners[owner] = count > 1 ? count - 1 : nil
        }
    }

    /// Owners that are counted: for tests.
    var ownerCount: Int { owners.withLock(\.count) }
}

/// What has to be given back when a connection ends.
struct Admission {
    /// Whom the connection belongs to, where owners are counted and it has one.
    let owner: UInt64?
}

extension SocketLoop {
    /// A connection whose handshake is to come. It is counted from here on: until the handshake's deadline it holds as
    /// much as any other.
    func accepts(_ connection: Connection) -> Bool {
        if admit(connection) { return true }
        guard refusals.count < ConnectionLedger.refusalsPerLoop else { return false }
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

    /// A connection has ended, one that was let in or another one.
    func dismiss(_ connection: Connection) {
        if !refusals.isEmpty { refusals.remove(connection.id) }
        guard !admissions.isEmpty, let admission = admissions.removeValue(forKey: connection.id) else { return }
        core.ledger.dismiss(admission)
    }
}
