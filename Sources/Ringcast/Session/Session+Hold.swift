import Reactor

/// A socket stops reading for several reasons at once: its user paused it, its waiting messages are at their bound, its
/// peer has said its last. It reads again when none of them is left.
extension Session {
    var isHeld: Bool { !holds.isEmpty }

    /// Stops reading. Frames that have come already stay in order behind what was handled; `receive` looks after each
    /// frame.
    func hold(_ reason: HoldReasons) {
        guard isOpen || reason == .peerEnded else { return }
        connection.pauseReceiving()
        holds.insert(reason)
    }

    /// Reads again next turn, unless there is another reason not to.
    func release(_ reasons: HoldReasons) {
        guard !holds.isDisjoint(with: reasons) else { return }
        holds.remove(reasons)
        guard !isHeld else { return }
        rest(at: loop.now)
        connection.resumeReceiving()
    }

    /// A socket that does not read hears nothing, which is not its peer's silence: the idle time begins anew.
    func rest(at now: UInt64) {
        noteInbound(at: now)
        extras?.pingSent = nil
    }
}
