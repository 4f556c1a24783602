import Ringcast

/// What `/stats` tells: every figure in all and per loop.
struct StatisticsReport {
    let loops: [ServerStatistics]

    var json: String {
        let figures: [(String, JSONValue)] = [
            ("driver", .string(loops.first?.driver?.description ?? "")),
            ("sockets", figure(\.sockets)),
            ("connections", figure(\.connections)),
            ("messages_in", figure(\.messagesIn)),
            ("messages_out", figure(\.messagesOut)),
            ("bytes_in", figure(\.bytesIn)),
            ("bytes_out", figure(\.bytesOut)),
            ("publishes", figure(\.publishes)),
            ("frames_encoded", figure(\.framesEncoded)),
            ("frames_deflated", figure(\.framesDeflated)),
            ("deliveries", figure(\.deliveries)),
            (
                "drops",
                .object([
                    ("backpressure_limit", figure(\.dropsAtLimit)),
                    ("closed", figure(\.dropsClosed)),
                    ("lane_full", figure(\.dropsInLanes)),
                    ("evicted", figure(\.dropsEvicted)),
                    ("superseded", figure(\.dropsSuperseded)),
                ])
            ),
            (
                "tls",
                .object([
                    ("handshakes", figure(\.handshakes)),
                    ("resumptions", figure(\.resumptions)),
                    ("handshake_failures", figure(\.handshakeFailures)),
                ])
            ),
            ("send_submissions", figure(\.sendSubmissions)),
            ("loop_turns", figure(\.loopTurns)),
            ("mailbox_depth", figure(\.mailboxDepth)),
        ]
        return JSONValue.object(figures).description + "\n"
    }

    private func figure(_ value: (ServerStatistics) -> Int) -> JSONValue {
        let values = loops.map(value)
        return .object([
            ("total", .number(values.reduce(0, +))),
            ("per_loop", .array(values.map { .number($0) })),
        ])
    }
}

/// JSON to be written (RFC 8259). Keys keep their order.
indirect enum JSONValue: CustomStringConvertible {
    case number(Int)
    /// Plain ASCII of the program's own: nothing has to be escaped.
    case string(String)
    case array([JSONValue])
    /// Names are the program's own: plain ASCII, so that nothing has to be escaped.
    case object([(name: String, value: JSONValue)])

    var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .string(let text): "\"\(text)\""
        case .array(let values): "[" + values.map(\.description).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ",") + "}"
        }
    }
}
