/// What a subscription that is to go on after a position has come to.
@nonexhaustive public enum Resumption: Hashable, Sendable {
    /// It goes on: so many messages were kept behind the position. They are handed over first, in order, then what is
    /// published: none is missing, and none comes twice.
    case resumed(Int)
    /// Some messages behind the position are gone, or the position is of another numbering: nothing is replayed, and
    /// the subscription begins with what is published from now on. The application has to load its state anew.
    case gap
    /// The topic's history is kept by a cluster's engine, and what this server has of it does not reach back so far:
    /// the engine is asked. The socket gets nothing of the topic until it has answered; then what was kept behind the
    /// position, and what was published meanwhile, as with `resumed`, and the handlers' `resumed` says which of the
    /// other cases it has come to.
    case resuming
    /// No position was given: the subscription begins with what is published from now on.
    case new
    /// Nothing: the socket is subscribed already, closed, or at its bound of topics, or the topic's name is none.
    case unchanged
}
