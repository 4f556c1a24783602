import Ringcast
import RingcastTesting

/// Checks of an engine that remembers.
extension BackplaneSuite {
    func historyComplaints() async -> [String] {
        var complaints: [String] = []
        let checks: [(BackplaneStage) async throws -> Void] = [
            numbersForAll, goesOnElsewhere, keepsWithinBounds, retains, catchesUp,
        ]
        let stage = BackplaneStage(makeCluster, patience: patience)
        let remembers = stage.remembers()
        await stage.end()
        complaints += stage.complaints
        for check in remembers ? checks : [] {
            let stage = BackplaneStage(makeCluster, patience: patience)
            do { try await check(stage) } catch { complaints.append("\(error)") }
            await stage.end()
            complaints += stage.complaints
        }
        return complaints
    }

    private func numbersForAll(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(3, remember: true)
        let clients = try nodes.map { try stage.connect($0, to: "kept-order") }
        // The first of each node are published while the engine begins to send the topic.
        for round in 0..<100 {
            for (index, node) in nodes.enumerated() {
                node.app.server.publish("\(index) \(round)", to: stage.topic("kept-order"))
            }
            if round % 10 == 0 { for node in nodes { node.app.rest() } }
        }
        await stage.wait {
            clients.allSatisfy { $0.received.last == clients[0].received.last && $0.received.count >= 300 }
        }
        await stage.pause()
        let whole = clients[0].received.map(\.string)
        stage.expect(
            whole.count == 300 && Set(whole).count == 300, "a subscriber gets each message once: \(whole.count)")
        stage.expect(
            whole.compactMap(\.position).map(\.offset) == Array(1...300),
            "the engine numbers a topic from 1 without a gap")
        for (index, client) in clients.enumerated() {
            let received = client.received.map(\.string)
            stage.expect(received == whole, "all nodes' subscribers get all messages in one order")
            stage.expect(
                received.filter { $0.hasPrefix("\(index) ") }.map(\.text) == (0..<100).map { "\(index) \($0)" },
                "what one thread publishes to a topic is numbered in its order")
        }
    }

    private func goesOnElsewhere(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2, remember: true)
        let client = try stage.connect(nodes[0], to: "kept-elsewhere")
        for number in 1...60 { nodes[1].app.server.publish("\(number)", to: stage.topic("kept-elsewhere")) }
        await stage.wait { client.received.count == 60 }
        guard let position = client.received.dropFirst(9).first?.string.position else {
            return stage.expect(false, "a subscriber gets what is published on another node, with its position")
        }
        // This node has not heard of the topic before.
        let fresh = try await stage.nodes(1, remember: true)[0]
        let returned = try stage.connect(fresh, to: "kept-elsewhere", after: position)
        let oldest = try stage.connect(fresh, to: "kept-elsewhere", after: .oldest)
        let beyond = Position(epoch: position.epoch, offset: 1_000)
        let strangers = try [beyond, Position(epoch: position.epoch ^ 1, offset: 5)].map {
            try stage.connect(fresh, to: "kept-elsewhere", after: $0)
        }
        nodes[0].app.server.publish("61", to: stage.topic("kept-elsewhere"))
        func numbers(_ client: TestClient) -> [String] { client.received.map(\.string.text).filter { $0.first != "=" } }
        func verdicts(_ client: TestClient) -> [String] { client.received.map(\.string).filter { $0.first == "=" } }
        await stage.wait {
            numbers(returned).last == "61" && numbers(oldest).last == "61"
                && strangers.allSatisfy { !verdicts($0).isEmpty }
        }
        stage.expect(
            numbers(returned) == (11...61).map(String.init), "who comes to another node gets what it has missed, once")
        stage.expect(numbers(oldest) == (1...61).map(String.init), "the oldest position is before all that is kept")
        stage.expect(
            verdicts(returned).first?.hasPrefix("= resumed") ?? false && verdicts(oldest).count == 1, "and is told so")
        stage.expect(
            strangers.allSatisfy { verdicts($0) == ["= gap"] }, "a position that never was, or is not yet, is a gap")
    }

    private func keepsWithinBounds(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2, remember: true)
        let client = try stage.connect(nodes[0], to: "kept-bounds")
        let kept = BackplaneStage.kept
        let text = String(repeating: "x", count: 1_000)
        // More than is kept may be lost while the engine begins to send a topic: behind the first one it does.
        nodes[0].app.server.publish("0", to: stage.topic("kept-bounds"))
        await stage.wait { client.received.count == 1 }
        await stage.pause()
        for number in 1...kept + 50 { nodes[0].app.server.publish("\(number)", to: stage.topic("kept-bounds")) }
        for _ in 0..<50 { nodes[0].app.server.publish(text, to: stage.topic("small")) }
        await stage.wait { client.received.count == kept + 51 }
        guard let first = client.received.first?.string.position else {
            return stage.expect(false, "a subscriber gets messages with positions")
        }
        let old = try stage.connect(nodes[1], to: "kept-bounds", after: first)
        let oldest = try stage.connect(nodes[1], to: "kept-bounds", after: .oldest)
        let small = try stage.connect(nodes[1], to: "small", after: .oldest)
        func isTold(_ client: TestClient) -> Bool { client.received.contains { $0.string.hasPrefix("=") } }
        await stage.wait { [old, oldest, small].allSatisfy(isTold) }
        stage.expect(old.received == [.text("= gap")], "what is not kept any more is a gap: \(old.received.count)")
        stage.expect(oldest.received.count == kept + 1, "of a topic as many messages are kept as its rule says")
        stage.expect(2...11 ~= small.received.count, "of a topic as many bytes are kept as its rule says")
    }

    private func retains(_ stage: BackplaneStage) async throws {
        let nodes = try await stage.nodes(2, remember: true)
        let server = nodes[0].app.server
        server.publish("retained", to: stage.topic("kept-retained"), retain: true)
        server.publish("behind it", to: stage.topic("kept-retained"))
        let client = try stage.connect(nodes[0], to: "kept-retained", after: .oldest)
        await stage.wait { client.received.count == 3 }
        let other = try stage.connect(nodes[1], to: "kept-retained")
        await stage.wait { !other.received.isEmpty }
        server.publish("new", to: stage.topic("kept-retained"))
        await stage.wait { other.received.count == 2 }
        stage.expect(
            other.received.map(\.string.text) == ["retained", "new"],
            "another node's new subscriber gets what the topic retains, then what comes: \(other.received)")
    }

    private func catchesUp(_ stage: BackplaneStage) async throws {
        guard let setReachable else { return }
        let nodes = try await stage.nodes(2, remember: true)
        let clients = try nodes.map { try stage.connect($0, to: "kept-away") }
        nodes[0].app.server.publish("before", to: stage.topic("kept-away"))
        await stage.wait { clients.allSatisfy { $0.received.count == 1 } }
        for round in 0..<3 {
            await setReachable(false)
            await stage.wait { !nodes.contains(where: \.isConnected) }
            for (index, node) in nodes.enumerated() {
                let result = node.app.server.publish("\(index) \(round)", to: stage.topic("kept-away"))
                stage.expect(result != .dropped, "what is published while the engine is away waits")
            }
            await setReachable(true)
            await stage.wait { nodes.allSatisfy(\.isConnected) }
            await stage.wait { clients.allSatisfy { $0.received.count == 3 + 2 * round } }
        }
        let expected = Set(["before"] + (0..<3).flatMap { ["0 \($0)", "1 \($0)"] })
        stage.expect(
            Set(clients[0].received.map(\.string.text)) == expected && clients[0].received.count == expected.count
                && clients[1].received == clients[0].received,
            "who was away gets all that was published, once, in one order: \(clients.map { $0.received.map(\.string) })"
        )
        stage.expect(
            nodes.allSatisfy { $0.app.server.clusterStatistics?.historyGaps == 0 },
            "a node that catches up tells of no gap")
    }
}

extension String {
    /// What was published, without its position.
    fileprivate var text: String { String(prefix { $0 != "@" }) }

    fileprivate var position: Position? { split(separator: "@").last.flatMap { Position(String($0)) } }
}
