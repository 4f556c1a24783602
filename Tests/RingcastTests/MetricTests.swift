import HTTPTypes
import ReactorTesting
import SimulatedKernel
import Testing
import WebSocketProtocol

@testable import Ringcast

extension SimulatedServer {
    /// The metrics, by name.
    var metrics: [String: MetricFamily] {
        Dictionary(uniqueKeysWithValues: server.metrics.map { ($0.name, $0) })
    }

    /// The sum of a metric's values that have these labels.
    func value(_ name: String, _ labels: KeyValuePairs<String, String> = [:]) -> Int {
        guard let family = metrics[name] else { return -1 }
        let matching = family.samples.filter { sample in
            labels.allSatisfy { name, value in sample.labels.contains(.init(name, value)) }
        }
        return matching.reduce(0) { sum, sample in
            if case .integer(let value) = sample.value { sum + value } else { sum }
        }
    }
}

/// What a server counts is what has happened.
@Suite(.endingAll) struct MetricTests {
    private static func subscriber(_ limit: Int = 1 << 20, of topic: Topic = "t") -> WebSocketHandlers<Void> {
        WebSocketHandlers(
            options: .init(backpressureLimit: limit),
            open: { ws in ws.subscribe(to: topic) },
            message: { ws, message in ws.publish(message, to: topic) })
    }

    @Test func `connections, upgrades, messages and closes are counted`() {
        let server = SimulatedServer(WebSocketHandlers<Void>(message: { ws, message in ws.send(message) }), loops: 2)
        let sockets = (0..<3).map { server.open(on: $0 % 2) }
        for socket in sockets { socket.send("hello") }
        #expect(server.value("ringcast_connections_accepted_total") == 3)
        #expect(server.value("ringcast_sockets", ["loop": "0"]) == 2 && server.value("ringcast_sockets") == 3)
        #expect(server.value("ringcast_upgrades_total") == 3)
        #expect(server.value("ringcast_http_responses_total", ["class": "1xx"]) == 3)
        #expect(server.value("ringcast_messages_received_total", ["loop": "1"]) == 1)
        #expect(server.value("ringcast_messages_sent_total") == 3)
        #expect(server.value("ringcast_received_bytes_total") > 3 * 100)
        sockets[0].send(.close, [3, 232])  // 1000
        sockets[1].send(.close, [0x0F, 0xA1])  // 4001
        sockets[2].peer.end()
        server.rest()
        #expect(server.value("ringcast_close_frames_received_total", ["code": "1000"]) == 1)
        #expect(server.value("ringcast_close_frames_received_total", ["code": "4000-4999"]) == 1)
        #expect(server.value("ringcast_close_frames_received_total", ["code": "1006"]) == 1)
        #expect(server.value("ringcast_close_frames_received_total") == 3)
        #expect(server.value("ringcast_close_frames_sent_total") == 2)
        #expect(server.value("ringcast_sockets") == 0)
    }

    @Test func `every request for a WebSocket that got none is counted by its reason`() {
        let server = SimulatedServer(fetch: { request in
            switch request.path {
            case "/no": .response(.forbidden)
            case "/broken": throw CancellationError()
            default: .upgrade(to: Self.subscriber())
            }
        })
        func ask(_ path: String, method: String = "GET", _ fields: String) {
            server.connect().send(Array("\(method) \(path) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n".utf8))
            server.rest()
        }
        let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        let whole = upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        ask("/", "")
        ask("/", upgrade)
        ask("/", upgrade + "Sec-WebSocket-Version: 13\r\n")
        ask("/", whole + "Origin: http://elsewhere\r\n")
        ask("/", method: "PUT", whole)
        ask("/no", whole)
        ask("/broken", whole)
        let expected = [
            "upgrade_required": 2, "bad_request": 1, "origin": 1, "method": 1, "application": 1, "internal_error": 1,
            "stopping": 0,
        ]
        for (reason, count) in expected {
            #expect(server.value("ringcast_upgrades_refused_total", ["reason": reason]) == count, "\(reason)")
        }
        #expect(server.value("ringcast_http_responses_total", ["class": "4xx"]) == 6)
        #expect(server.value("ringcast_http_responses_total", ["class": "5xx"]) == 1)
    }

    @Test(arguments: [
        (SlowConsumerPolicy.dropNewest, "limit", "drop_newest"), (.dropOldest, "evicted", "drop_oldest"),
        (.latest, "superseded", "latest"), (.close(.tryAgainLater), "limit", "close"),
    ])
    func `what is offered is delivered or dropped, and the drops say why`(
        _ policy: SlowConsumerPolicy, _ reason: String, _ label: String
    ) {
        let server = SimulatedServer(Self.subscriber(4_096)) { $0.slowConsumerPolicy = policy }
        let (fast, slow) = (server.open(), server.open(window: 100))
        let publisher = server.open()
        for _ in 0..<50 { publisher.send(.binary, [UInt8](repeating: 7, count: 500)) }
        #expect(fast.count(.binary) == 50)
        // What is in a slow subscriber's backlog is neither yet: its end decides.
        slow.peer.reset()
        server.rest()
        let (deliveries, drops) = (server.value("ringcast_deliveries_total"), server.value("ringcast_drops_total"))
        #expect(deliveries + drops == 100 && deliveries >= 50)
        #expect(server.value("ringcast_drops_total", ["reason": reason, "policy": label]) > 0)
        #expect(server.value("ringcast_backpressure_events_total") == 1)
        #expect(server.value("ringcast_publishes_total") == 50)
    }

    @Test func `a message for one socket that is at its limit is a drop without a policy`() {
        let handlers = WebSocketHandlers<Void>(
            options: .init(backpressureLimit: 1_000),
            message: { ws, _ in for _ in 0..<10 { ws.send([UInt8](repeating: 1, count: 400)) } })
        let server = SimulatedServer(handlers)
        server.open(window: 10).send("go")
        #expect(server.value("ringcast_drops_total", ["reason": "limit", "policy": "none"]) == 7)
        #expect(server.value("ringcast_messages_sent_total") == 3)
    }

    @Test func `connections for which there is no room are counted`() {
        let server = SimulatedServer(Self.subscriber()) { $0.limits.connections = 1 }
        _ = server.open()
        _ = server.connect()
        #expect(server.value("ringcast_connections_refused_total") == 1)
        #expect(server.value("ringcast_http_responses_total", ["class": "5xx"]) == 1)
    }

    @Test func `a real server is scraped, its turns and its threads' messages too`() async throws {
        try await serving(fetch: { request in
            request.path == "/metrics" ? .metrics(of: request.server) : .upgrade(to: Self.subscriber())
        }) { server in
            let client = try SocketClient(port: server.port)
            #expect(eventually { server.subscriberCount(of: "t") == 1 })
            server.publish("from a thread", to: "t")
            #expect(try client.readText() == "from a thread")
            let answer = try TCPClient(port: server.port).get("/metrics")
            #expect(answer.status == 200)
            #expect(answer["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = answer.text.split(separator: "\n")
            #expect(lines.contains("ringcast_publishes_total{loop=\"0\"} 1"))
            #expect(lines.contains { $0.hasPrefix("ringcast_info{driver=\"") })
            let turns = lines.compactMap { line in
                line.hasPrefix("ringcast_loop_turn_seconds_count") ? Int(line.split(separator: " ")[1]) : nil
            }
            #expect(turns.count == 2 && turns.reduce(0, +) > 0)
            // Every value is a number behind a name that was declared.
            let names = Set(lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] })
            for line in lines where !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let base = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { name.dropLast($0.count) }
                #expect(names.contains(name) || base.map { names.contains($0) } == true, "\(line)")
                #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
            }
        }
    }
}
