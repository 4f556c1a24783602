/// A peer that takes nothing for the write-stall time while bytes wait is cut off. Its connection is in the list
/// `watchedForStall` from the first send on that fell short.
extension EventLoop {
    static let stallCheckInterval: UInt64 = 1000

    func watchForStall(_ connection: ConnectionSlot) {
        guard connection.state.writeStallTimeout > 0, !connection.state.flags.contains(.watchedForStall) else { return }
        connection.state.flags.insert(.watchedForStall)
        state.watchedForStall.append(connection.token(.unanswered))
    }

    /// Once a second: cuts off peers that have stalled, and forgets connections that are no longer blocked.
    func checkStalls() {
        if state.uncheckedForStall == 0 {
            guard !state.watchedForStall.isEmpty, now - state.lastStallCheck >= Self.stallCheckInterval else { return }
            state.lastStallCheck = now
            state.uncheckedForStall = state.watchedForStall.count
        }
        for _ in 0..<min(state.uncheckedForStall, Self.timersPerTurn) {
            state.uncheckedForStall -= 1
            guard !isWatchedOn(state.watchedForStall[state.uncheckedForStall]) else { continue }
            // The last one has been looked at.
            state.watchedForStall.swapAt(state.uncheckedForStall, state.watchedForStall.count - 1)
            state.watchedForStall.removeLast()
        }
    }

    /// Whether the connection stays in the list.
    private func isWatchedOn(_ token: Token) -> Bool {
        guard let connection = state.connections.find(token), connection.state.phase < .ended else { return false }
        if !connection.state.flags.contains(.blocked) {
            connection.state.flags.remove(.watchedForStall)
            return false
        }
        guard now - timeOfProgress(connection) >= UInt64(connection.state.writeStallTimeout) else { return true }
        end(connection, .stalled)
        return false
    }

    /// When the peer last took something. A send completes only once the socket has much room again, which at a slow
    /// reader's pace is minutes for what a socket buffers; so the kernel is asked.
    func timeOfProgress(_ connection: ConnectionSlot) -> UInt64 {
        if connection.state.send == .carried { return timeOfCarriedProgress(connection) }
        let count = UInt32(clamping: driver.untakenByteCount(of: connection.state.descriptor))
        if count != connection.state.untakenByteCount {
            if connection.state.untakenByteCount != Self.notLookedAt { connection.state.lastProgress = now }
            connection.state.untakenByteCount = count
        }
        return connection.state.lastProgress
    }
}
