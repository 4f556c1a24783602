/// Connections that another one carries, as streams of a multiplexed protocol are: they have a slot and no descriptor,
/// so that whoever knows a connection by its slot knows them too, and needs no second way.
///
/// What other connections ask the driver for, a carried one asks of its carrier, through the handler: that knows what
/// carrying means, and this only that there is such a thing. Input comes by `Connection.deliver`, and is handed, held
/// and paused as any other. Output is offered at the end of the turn, when every carrier with something to send is
/// asked for it once (`gather`), and moves from queue to queue: one send for all that a connection carries.
package protocol CarryingHandler: ConnectionHandler {
    /// A carried connection has something for its carrier. Not the place to send or to close on either.
    func carried(_ connection: Connection, _ matter: CarriedMatter)

    /// The end of the turn: the carrier may queue what is to leave, its own bytes and what it moves of those that it
    /// carries.
    func gather(_ carrier: Connection)
}

/// What a carried connection has for its carrier.
package enum CarriedMatter: Hashable, Sendable {
    /// More is queued than before, or the last that ever will be: see `queuedByteCount` and `isClosing`.
    case output
    /// Something of what was held has been consumed: see `heldByteCount`.
    case input
    /// Everything has moved, and nothing follows: what a FIN is for others.
    case finish
}

extension Connection {
    /// Makes a connection that this one carries. It is open from now on, and nobody but its context knows of it.
    ///
    /// It has to be ended before this one's last call, `closed`, returns.
    /// - Parameter place: which one it is, in the numbering of the carrier.
    package func carry(at place: UInt16) -> ConnectionSlot { slot.state.withLoop { $0.carry(by: slot, at: place) } }

    /// Whether another connection carries this one.
    package var isCarried: Bool { slot.state.send == .carried }

    /// The connection that carries this one; itself, if none does. Still there when this one's `closed` is told.
    package var carrier: Connection {
        @_lifetime(immortal)
        get { Connection(slot.wire) }
    }

    /// The number that `carry` was given.
    package var place: Int { Int(slot.state.place) }

    /// Bytes that have come and that the handler has not consumed.
    package var heldByteCount: Int { slot.state.withLoop { $0.heldByteCount(slot) } }

    /// Hands a carried connection bytes that have come for it; they may be changed in place. What it does not take now
    /// is copied, and kept.
    package func deliver(_ bytes: UnsafeMutableRawBufferPointer) {
        guard bytes.count > 0 else { return }
        slot.state.withLoop { unsafe $0.offer(bytes, of: nil, to: slot) }
    }

    /// No more will come for a carried connection.
    package func deliverEnd() { slot.state.withLoop { $0.inputEnded(slot) } }

    /// Ends a carried connection whose peer, or whose carrier, has ended.
    package func end(_ reason: DisconnectReason) { slot.state.withLoop { $0.end(slot, reason) } }

    /// Has `gather` called for this carrier at the end of the turn.
    package func gatherAtTurnsEnd() { slot.state.withLoop { $0.gatherAtTurnsEnd(slot) } }

    /// Moves the first bytes that a carried connection has queued behind everything queued here. Within `gather` only.
    package func takeOutput(_ count: Int, of carried: ConnectionSlot) {
        slot.state.withLoop { $0.moveOutput(count, of: carried, to: slot) }
    }
}

extension ConnectionSlot {
    /// The connection with a descriptor: this one, or its carrier.
    var wire: ConnectionSlot { state.send == .carried ? state.withLoop { $0.carrier(of: self) } : self }
}

extension EventLoop {
    fileprivate func carry(by carrier: ConnectionSlot, at place: UInt16) -> ConnectionSlot {
        precondition(carrier.state.phase < .ended, "a connection that has ended cannot carry another one")
        let connection = state.connections.insert(loop: self)
        connection.state.descriptor = Self.mark(of: carrier)
        connection.state.place = place
        connection.state.listenerIndex = carrier.state.listenerIndex
        connection.state.receive = .carried
        connection.state.send = .carried
        carrier.state.operationCount += 1
        connection.state.move(to: .open)
        return connection
    }

    /// What stands in place of a descriptor: the carrier's slot, as a number that the kernel takes for none.
    private static func mark(of carrier: ConnectionSlot) -> Int32 { -2 - Int32(carrier.state.slot) }

    func carrier(of connection: ConnectionSlot) -> ConnectionSlot {
        state.connections[UInt32(-2 - connection.state.descriptor)]
    }

    func tellCarrier(of connection: ConnectionSlot, _ matter: CarriedMatter) {
        carryingHandler?.carried(Connection(connection), matter)
    }

    /// A carried connection has ended and been reported: its carrier may go now.
    func leaveCarrier(_ connection: ConnectionSlot) {
        let carrier = carrier(of: connection)
        state.connections.remove(connection)
        carrier.state.operationCount -= 1
        closeIfIdle(carrier)
    }

    // MARK: output

    fileprivate func gatherAtTurnsEnd(_ carrier: ConnectionSlot) {
        guard !carrier.state.flags.contains(.gathers), carrier.state.phase < .ended else { return }
        carrier.state.flags.insert(.gathers)
        state.gathering.append(carrier)
    }

    /// At the end of the turn, before carriers are asked: tells one of them what a connection has for it.
    func offerOutput(of connection: ConnectionSlot) {
        guard connection.state.phase < .ended else { return }
        state.offered.append(connection)
        tellCarrier(of: connection, .output)
    }

    /// Asks the carriers. What they leave behind is blocked: the peer's windows are closed, or its socket is full.
    func gather() {
        for carrier in state.gathering.take() {
            carrier.state.flags.remove(.gathers)
            if carrier.state.phase < .ended { carryingHandler?.gather(Connection(carrier)) }
        }
        for connection in state.offered.take() where unsafe connection.state.sendQueue?.pointee.isEmpty == false {
            markBlocked(connection)
        }
    }

    fileprivate func moveOutput(_ count: Int, of connection: ConnectionSlot, to carrier: ConnectionSlot) {
        guard count > 0, let source = unsafe connection.state.sendQueue else { return }
        markDirty(carrier)
        let target = unsafe queue(of: carrier)
        unsafe source.pointee.moveFirst(count, to: &target.pointee, chunks: &state.chunks) { giveBackLoan($0) }
        connection.state.lastProgress = now
        guard unsafe source.pointee.isEmpty else { return }
        // Who waits for it is told in the next turn, as of a send that the kernel has taken.
        if connection.state.phase >= .closing || !connection.state.flags.isDisjoint(with: [.wantsDrain, .blocked]) {
            state.settling.append(connection.token(.send))
        } else {
            releaseSendQueue(connection)
        }
    }

    /// The next turn: goes on with connections of which everything has moved.
    func settleCarried() {
        for token in state.settling.take() {
            guard let connection = state.connections.find(token), connection.state.phase < .ended else { continue }
            afterSend(connection)
        }
    }

    /// When a carried connection's peer last took something: what has moved, or behind a carrier that is blocked
    /// itself, what that one's has taken.
    func timeOfCarriedProgress(_ connection: ConnectionSlot) -> UInt64 {
        let carrier = carrier(of: connection)
        guard carrier.state.flags.contains(.blocked) else { return connection.state.lastProgress }
        return max(connection.state.lastProgress, timeOfProgress(carrier))
    }
}
