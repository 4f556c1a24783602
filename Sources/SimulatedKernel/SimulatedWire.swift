/// What joins two simulated sockets, so that both ends are loops: bytes, ends and resets go across when a test says so.
///
/// Each direction holds `capacity` bytes at most, so that a reader that stands still makes the other end's socket full.
package final class SimulatedWire {
    /// The socket that connected, and the one that was accepted.
    package let near: SimulatedPeer
    package let far: SimulatedPeer
    private var toFar = Direction()
    private var toNear = Direction()
    package private(set) var isCut = false

    private struct Direction {
        var pending: [UInt8] = []
        var hasEnded = false
    }

    package init(near: SimulatedPeer, far: SimulatedPeer, capacity: Int = .max) {
        (self.near, self.far) = (near, far)
        near.window = capacity
        far.window = capacity
    }

    /// Whether something is under way.
    package var isBusy: Bool {
        !isCut && (!toFar.pending.isEmpty || !toNear.pending.isEmpty || near.hasUnread || far.hasUnread || isEnding)
    }

    private var isEnding: Bool {
        near.isOver && !toFar.hasEnded && !far.isClosed || far.isOver && !toNear.hasEnded && !near.isClosed
    }

    /// Moves so many bytes at most each way.
    package func move(atMost count: Int) {
        guard !isCut else { return }
        // What comes to a closed socket is answered by a reset.
        let isLate = near.isClosed && far.hasUnread || far.isClosed && near.hasUnread
        if isLate || near.hasSeenReset || far.hasSeenReset || far.wasRefused { return cut() }
        Self.move(count, from: near, to: far, &toFar)
        Self.move(count, from: far, to: near, &toNear)
    }

    private static func move(_ count: Int, from: SimulatedPeer, to: SimulatedPeer, _ direction: inout Direction) {
        direction.pending += from.takeReceivedBytes()
        // Behind an end nobody reads.
        if direction.hasEnded { direction.pending = [] }
        let moved = min(count, direction.pending.count)
        if moved > 0 {
            to.send(Array(direction.pending[..<moved]))
            direction.pending.removeFirst(moved)
            from.makeRoom(moved)
        }
        if direction.pending.isEmpty, from.isOver, !direction.hasEnded, !to.isClosed {
            direction.hasEnded = true
            to.end()
        }
    }

    /// Holds whatever comes, from now on.
    package func openUp() { (near.window, far.window) = (.max, .max) }

    /// Breaks off: what is under way is lost, and both sides get a reset.
    package func cut() {
        guard !isCut else { return }
        isCut = true
        near.reset()
        far.reset()
    }

    /// Ends one direction behind what has arrived; what is under way there is lost.
    package func halfClose(towardsFar: Bool) {
        guard !isCut else { return }
        if towardsFar, !toFar.hasEnded {
            toFar = Direction(pending: [], hasEnded: true)
            far.end()
        } else if !towardsFar, !toNear.hasEnded {
            toNear = Direction(pending: [], hasEnded: true)
            near.end()
        }
    }
}

extension SimulatedPeer {
    fileprivate var hasUnread: Bool { !receivedBytes.isEmpty }
    fileprivate var isOver: Bool { hasSeenEnd || isClosed }
}
