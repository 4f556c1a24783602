import HTTPTypes
import Reactor

/// A metric before it is read.
struct MetricDefinition: Sendable {
    let name: String
    let kind: MetricFamily.Kind
    let help: String
    let samples: @Sendable ([LoopReading]) -> [MetricFamily.Sample]

    func family(of loops: [LoopReading]) -> MetricFamily {
        MetricFamily(name, kind, help, samples: samples(loops))
    }
}

/// Every metric that there is. docs/metrics.md has the same list, which a test compares with this one.
struct MetricCatalogue: Sendable {
    static let shared = MetricCatalogue()

    private(set) var definitions: [MetricDefinition] = []

    private init() {
        addConnections()
        addSockets()
        addMessages()
        addLoops()
    }

    static func info(_ driver: DriverKind) -> MetricFamily {
        MetricFamily(
            "ringcast_info", .gauge, "What this server is: always 1.",
            samples: [.init(.integer(1), labels: [.init("driver", driver.description)])])
    }
}

extension MetricCatalogue {
    /// A value for each loop.
    mutating func perLoop(
        _ kind: MetricFamily.Kind, _ name: String, _ help: String,
        _ value: @escaping @Sendable (LoopReading) -> MetricFamily.Value
    ) {
        definitions.append(
            MetricDefinition(name: name, kind: kind, help: help) { loops in
                loops.map { MetricFamily.Sample(value($0), labels: [.init("loop", "\($0.index)")]) }
            })
    }

    /// One value, the sum of all loops'.
    mutating func total(
        _ kind: MetricFamily.Kind, _ name: String, _ help: String, _ value: @escaping @Sendable (LoopReading) -> Int
    ) {
        definitions.append(
            MetricDefinition(name: name, kind: kind, help: help) { loops in
                [MetricFamily.Sample(.integer(loops.reduce(0) { $0 + value($1) }))]
            })
    }

    /// A counter of all loops' for each key.
    mutating func perKey<Key: CaseIterable & Sendable>(
        _ name: String, _ help: String, of keys: Key.Type,
        labels: @escaping @Sendable (Key) -> [MetricFamily.Label],
        _ value: @escaping @Sendable (LoopReading, Key) -> Int
    ) {
        definitions.append(
            MetricDefinition(name: name, kind: .counter, help: help) { loops in
                Key.allCases.map { key in
                    MetricFamily.Sample(.integer(loops.reduce(0) { $0 + value($1, key) }), labels: labels(key))
                }
            })
    }
}

extension MetricCatalogue {
    private mutating func addConnections() {
        perLoop(.gauge, "ringcast_connections", "Open connections, of any kind.") {
            .integer($0.loop.connections.value)
        }
        perLoop(.counter, "ringcast_connections_accepted_total", "Connections accepted.") {
            .integer($0.loop.accepted.value)
        }
        total(
            .counter, "ringcast_connections_refused_total", "Connections for which the server's bounds had no room."
        ) { $0.events.refusedConnections.value }
        perKey(
            "ringcast_tls_handshakes_total", "TLS handshakes, by how they ended.", of: HandshakeResult.self,
            labels: { [.init("result", $0.rawValue)] }
        ) { $1.count(in: $0.loop) }
        perKey(
            "ringcast_http_responses_total", "Answers to requests, upgrades (101) among them.", of: ResponseClass.self,
            labels: { [.init("class", $0.label)] }
        ) { $0.events.responses[$1] }
        total(
            .gauge, "ringcast_pending_requests",
            "Requests whose body or deferred reply is awaited, or whose answer streams."
        ) { Int($0.counters.pendingRequests) }
    }

    private mutating func addSockets() {
        total(.counter, "ringcast_upgrades_total", "WebSocket handshakes that were answered with 101.") {
            $0.events.upgrades.value
        }
        perKey(
            "ringcast_upgrades_refused_total", "Requests for a WebSocket that got none.", of: UpgradeRefusal.self,
            labels: { [.init("reason", $0.label)] }
        ) { $0.events.refusedUpgrades[$1] }
        perLoop(.gauge, "ringcast_sockets", "Open WebSockets.") { .integer(Int($0.counters.sockets)) }
        perLoop(.gauge, "ringcast_event_streams", "Open streams of server-sent events.") {
            .integer(Int($0.counters.eventStreams))
        }
        perKey(
            "ringcast_close_frames_sent_total", "Close frames sent; 1005 is one without a code.", of: CloseClass.self,
            labels: { [.init("code", $0.label)] }
        ) { $0.events.closesSent[$1] }
        perKey(
            "ringcast_close_frames_received_total",
            "Close frames received; 1005 is one without a code, 1006 counts sockets that ended without any.",
            of: CloseClass.self, labels: { [.init("code", $0.label)] }
        ) { $0.events.closesReceived[$1] }
    }
}

/// How a TLS handshake ended.
private enum HandshakeResult: String, CaseIterable, Sendable {
    case full, resumed, failed

    func count(in loop: LoopStatistics) -> Int {
        switch self {
        case .full: loop.handshakes.value - loop.resumptions.value
        case .resumed: loop.resumptions.value
        case .failed: loop.handshakeFailures.value
        }
    }
}
