/// The open sockets of one loop: how a slot and a serial number, which references keep, are turned into a session
/// again.
struct SessionTable {
    private var slots: [Session?] = []
    private var free: [UInt32] = []
    private var nextSerial: UInt64 = 1
    private(set) var count = 0

    /// Reserves a slot and a serial number for a new session, which `insert` puts there.
    mutating func reserve() -> (slot: UInt32, serial: UInt64) {
        let serial = nextSerial
        nextSerial += 1
        if let slot = free.popLast() { return (slot, serial) }
        slots.append(nil)
        return (UInt32(slots.count - 1), serial)
    }

    mutating func insert(_ session: Session) {
        slots[Int(session.slot)] = session
        count += 1
    }

    mutating func remove(_ session: Session) {
        slots[Int(session.slot)] = nil
        free.append(session.slot)
        count -= 1
    }

    /// The session with this serial number; nil once it is closed, also when its slot has been used again.
    func find(slot: UInt32, serial: UInt64) -> Session? {
        guard Int(slot) < slots.count, let session = slots[Int(slot)], session.serial == serial else { return nil }
        return session
    }

    /// Calls `body`, which may close any session, with those that there are now.
    func forEach(_ body: (Session) -> Void) {
        for case let session? in slots { body(session) }
    }
}
