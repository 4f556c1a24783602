import Reactor

/// Several reasons not to read a socket (`HoldReasons`) may hold at once; it is read again when none is left.
extension Session {
    var isHeld: Bool { !holds.isEmpty }

    /// Stops reading. Frames that have come already stay in order behind what was handled; `receive` looks after each
    /// frame.
    func hold(_ reason: HoldReasons) {
        guard isOpen || reason == .peerEnded else { return }
        connection.pauseReceiving()
        holds.insert(reason)
    }

    /// Drops reasons, and reads again next turn unless another one is left.
    func release(_ reasons: HoldReasons) {
        guard !holds.isDisjoint(with: reasons) else { return }
        holds.remove(reasons)
        guard !isHeld else { return }
        rest(at: loop.now)
        connection.resumeReceiving()
    }

    /// Begins the idle time anew: what a socket that does not read fails to hear is not its peer's silence.
    func rest(at now: UInt64) {
        noteInbound(at: now)
        extras?.pingSent = nil
    }
}
