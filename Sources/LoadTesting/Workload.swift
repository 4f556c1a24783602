/// What a load consists of.
package enum Workload: String, CaseIterable, Sendable {
    /// Every connection sends, waits for the answer, and sends again.
    case echo
    /// The chat benchmark that Bun publishes: everyone says 1,600 short texts, and everyone hears everyone.
    case chat
    /// A few publishers, many subscribers.
    case fanout
    /// Connections that do nothing.
    case idle
    /// Connect, upgrade, one message and its answer, close; again and again.
    case churn
    /// Fan-out to subscribers of whom some do not read.
    case slow
    /// What a scenario file says: phases, ramps, think times.
    case mixed

    /// The path of connections whose URL names none. `{topic}` is replaced.
    package var defaultPath: String {
        switch self {
        case .echo, .idle, .churn, .mixed: "/echo"
        case .chat: "/chat"
        case .fanout, .slow: "/topic/{topic}"
        }
    }

    /// Whether some connections only publish.
    package var hasPublishers: Bool { self == .fanout || self == .slow }
}
