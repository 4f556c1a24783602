internal import COpenSSL
internal import Synchronization

/// The keys that a server's session tickets are sealed with: one for new tickets, and the one before it, which is still
/// accepted. All loops and all certificates of a listener share them, and a reload takes them along.
///
/// Whoever gets hold of a key can read the tickets that it sealed, and in TLS 1.2 what was said under them; so a key
/// seals for 12 hours, is accepted for 12 more, and is overwritten then.
final class TicketKeys: Sendable {
    /// How long a key seals tickets (ms).
    static let period: UInt64 = 12 * 3_600_000

    private let keys = Mutex(Keys())

    /// The key for a new ticket; nil if OpenSSL has no random numbers.
    func current(now: UInt64) -> TicketKey? {
        keys.withLock { keys in
            keys.rotate(now: now)
            return keys.current
        }
    }

    /// The keys whose tickets are accepted.
    func accepted(now: UInt64) -> (current: TicketKey?, previous: TicketKey?) {
        keys.withLock { keys in
            keys.rotate(now: now)
            return (keys.current, keys.previous)
        }
    }

    /// Two keys at most, made when they are first needed.
    private struct Keys {
        var current: TicketKey?
        var previous: TicketKey?

        mutating func rotate(now: UInt64) {
            guard let old = current else { return current = TicketKey(now: now) }
            // Another loop's clock may be a little behind.
            guard now >= old.since + TicketKeys.period, let fresh = TicketKey(now: now) else { return }
            previous = now < old.since + 2 * TicketKeys.period ? old : nil
            current = fresh
        }
    }
}

/// A name of 16 bytes, which every ticket bears, and a secret of 64.
@safe
final class TicketKey: @unchecked Sendable {
    // Sendable although it holds a pointer: nothing writes through it between `init` and `deinit`.
    private static let nameByteCount = 16
    private static let byteCount = 80

    let since: UInt64
    private let memory: UnsafeMutablePointer<UInt8>

    init?(now: UInt64) {
        since = now
        unsafe memory = .allocate(capacity: Self.byteCount)
        unsafe memory.initialize(repeating: 0, count: Self.byteCount)
        guard unsafe RAND_bytes(memory, Int32(Self.byteCount)) == 1 else { return nil }
    }

    deinit {
        unsafe OPENSSL_cleanse(memory, Self.byteCount)
        unsafe memory.deallocate()
    }

    /// Writes its name into a new ticket, and its secret into the contexts that seal it.
    func seal(_ ticket: TicketContexts) -> Bool {
        guard unsafe RAND_bytes(ticket.vector, 16) == 1 else { return false }
        unsafe ticket.name.update(from: memory, count: Self.nameByteCount)
        return use(for: ticket, seals: 1)
    }

    /// Returns false for a ticket that another key has sealed.
    func open(_ ticket: TicketContexts) -> Bool {
        guard unsafe CRYPTO_memcmp(ticket.name, memory, Self.nameByteCount) == 0 else { return false }
        return use(for: ticket, seals: 0)
    }

    private func use(for ticket: TicketContexts, seals: Int32) -> Bool {
        // Safe: OpenSSL copies the secret.
        unsafe ringcast_tls_use_ticket_key(
            memory + Self.nameByteCount, ticket.vector, ticket.cipher, ticket.mac, seals) == 1
    }
}

/// What OpenSSL hands over with a ticket: memory of its own, for the time of the call.
@safe
struct TicketContexts {
    let name: UnsafeMutablePointer<UInt8>
    let vector: UnsafeMutablePointer<UInt8>
    let cipher: OpaquePointer
    let mac: OpaquePointer
}

/// OpenSSL's question for the key of a ticket. Returns 0 for none, so that there is no ticket or a full handshake; 1
/// when done; 2 when done, and the client gets a new ticket.
func useTicketKey(
    _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ vector: UnsafeMutablePointer<UInt8>?,
    _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ seals: Int32
) -> Int32 {
    guard let ssl = unsafe ssl, let session = unsafe TLSSession(of: ssl), let keys = session.state.context.ticketKeys,
        let name = unsafe name, let vector = unsafe vector, let cipher = unsafe cipher, let mac = unsafe mac
    else { return 0 }
    let ticket = unsafe TicketContexts(name: name, vector: vector, cipher: cipher, mac: mac)
    let now = session.state.withLoop { $0.now }
    if seals == 1 { return keys.current(now: now)?.seal(ticket) == true ? 1 : 0 }
    let (current, previous) = keys.accepted(now: now)
    // In TLS 1.3 every ticket is for one use, and is followed by the next.
    if current?.open(ticket) == true { return unsafe SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1 }
    return previous?.open(ticket) == true ? 2 : 0
}
