/// What a worker has counted since it began.
package struct LoadCounters: Equatable, Sendable {
    package var sent = 0
    package var received = 0
    package var bytesReceived = 0
    package var opened = 0
    package var closed = 0
    package var failedConnections = 0
    /// Messages that differ from what should have come, and connections that ended on their own.
    package var errors = 0
    package var lost = 0
    /// Messages that came behind a later one of their sender.
    package var late = 0
    /// Messages that had come before.
    package var duplicated = 0
    /// The messages among `errors`.
    package var mismatched = 0
    /// Connections whose server has accepted permessage-deflate.
    package var compressed = 0
    /// Connections open now.
    package var open = 0

    /// Messages that came as they should.
    package var answered: Int { received - duplicated - mismatched }

    package init() {}

    package static func + (left: Self, right: Self) -> Self { combine(left, right, +) }
    package static func - (left: Self, right: Self) -> Self { combine(left, right, -) }

    private static func combine(_ left: Self, _ right: Self, _ operation: (Int, Int) -> Int) -> Self {
        var result = Self()
        let fields: [WritableKeyPath<Self, Int>] = [
            \.sent, \.received, \.bytesReceived, \.opened, \.closed, \.failedConnections, \.errors, \.lost, \.late,
            \.duplicated, \.mismatched, \.compressed, \.open,
        ]
        for field in fields { result[keyPath: field] = operation(left[keyPath: field], right[keyPath: field]) }
        return result
    }
}
