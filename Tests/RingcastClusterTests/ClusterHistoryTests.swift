import Ringcast
import RingcastCluster
import RingcastTesting
import Synchronization
import Testing

/// Topics with history on several servers over an engine in memory.
@Suite struct ClusterHistoryTests {
    let world = HistoryWorld()

    @Test
    func `subscribers of all nodes get each message once, with the engine's numbers, and a publisher not its own`()
        throws
    {
        let nodes = try (0..<3).map { _ in try world.node(loops: 2) }
        let clients: [TestClient] = try nodes.flatMap { node in
            try [0, 1].map { loop in try world.connect(node, loop: loop) }
        }
        clients[0].send("a")
        clients[3].send("b")
        nodes[2].server.publish("c", to: "/room")
        world.rest()
        let all = ["a 1", "b 2", "c 3"]
        #expect(world.texts(clients[0]) == ["b 2", "c 3"] && world.texts(clients[3]) == ["a 1", "c 3"])
        for index in [1, 2, 4, 5] { #expect(world.texts(clients[index]) == all) }
        #expect(nodes[0].server.position(of: "/room") == nodes[2].server.position(of: "/room"))
        #expect(nodes.map { $0.server.clusterStatistics?.received } == [2, 2, 2])
    }

    @Test func `who comes to a node that has not kept enough is resuming, and gets all of it once`() throws {
        let (near, far) = (try world.node(loops: 2), try world.node(loops: 2))
        let first = try world.connect(near)
        for number in 1...120 { near.server.publish("\(number)", to: "/room") }
        world.rest()
        let position = try #require(world.position(in: first, of: "40"))
        let results = try (0..<2).map { try world.connect(far, loop: $0, after: position) }
        for result in results {
            let texts = world.texts(result)
            #expect(texts.last?.hasSuffix("resumed 80") == true && texts.count == 81 && texts.first == "41 41")
        }
        far.server.publish("121", to: "/room")
        world.rest()
        for result in results { #expect(world.texts(result) == ["121 121"]) }
        // Now it is here: told within `subscribe`.
        let again = try world.connect(far, after: position)
        #expect(world.texts(again).last == "at once: resumed 81")
    }

    @Test func `what is published while somebody resumes comes behind what it had missed`() throws {
        let (near, far) = (try world.node(loops: 3), try world.node(loops: 3))
        for number in 1...30 { near.server.publish("\(number)", to: "/room") }
        let others = try (0..<3).map { try world.connect(far, loop: $0) }
        world.engine.setReachable(false, for: far.server)
        let clients = try (0..<3).map { try world.connect(far, loop: $0, after: .oldest) }
        for number in 31...40 { near.server.publish("\(number)", to: "/room") }
        far.server.publish("41", to: "/room")
        world.rest()
        #expect(clients.allSatisfy { world.texts($0) == [] } && others.allSatisfy { world.texts($0) == [] })
        world.engine.setReachable(true, for: far.server)
        world.rest()
        for client in clients {
            let texts = world.texts(client)
            #expect(texts.filter { !$0.hasPrefix("resumed") } == (1...41).map { "\($0) \($0)" })
            #expect(texts.count(where: { $0.hasPrefix("resumed") }) == 1)
        }
        for other in others { #expect(world.texts(other) == (31...41).map { "\($0) \($0)" }) }
        #expect(far.server.clusterStatistics?.historyGaps == 0)
    }

    @Test func `messages that are lost on the way are read before later ones are handed on`() throws {
        let (near, far) = (try world.node(loops: 2), try world.node(loops: 2))
        let client = try world.connect(far)
        near.server.publish("1", to: "/room")
        world.engine.loseMessages(3, to: far.server)
        for number in 2...5 { near.server.publish("\(number)", to: "/room") }
        world.rest()
        #expect(world.texts(client) == (1...5).map { "\($0) \($0)" })
        #expect(far.server.clusterStatistics?.historyGaps == 0)
    }

    @Test func `what the engine has no more when a node comes back is a gap that is told`() throws {
        let (near, far) = (try world.node(), try world.node())
        let client = try world.connect(far)
        near.server.publish("0", to: "/room")
        world.rest()
        world.engine.setReachable(false, for: far.server)
        for number in 1...250 { near.server.publish("\(number)", to: "/room") }
        world.engine.setReachable(true, for: far.server)
        world.rest()
        #expect(world.texts(client) == ["0 1"] + (51...250).map { "\($0) \($0 + 1)" })
        #expect(world.events.contains(.historyGap("/room")) && far.server.clusterStatistics?.historyGaps == 1)
        let late = try world.connect(
            far, after: Position(epoch: near.server.position(of: "/room")?.epoch ?? 0, offset: 3))
        #expect(world.texts(late) == ["gap"])
    }

    @Test func `an engine that has lost its newest messages goes on under another epoch, and nobody is led astray`()
        throws
    {
        let (near, far) = (try world.node(), try world.node())
        let (one, other) = (try world.connect(near), try world.connect(far))
        for number in 1...10 { near.server.publish("\(number)", to: "/room") }
        world.rest()
        let (fifth, tenth) = (world.position(in: one, of: "5"), world.position(in: one, of: "10"))
        _ = (world.texts(one), world.texts(other))
        world.engine.setReachable(false)
        world.engine.restart(losing: 3)
        near.server.publish("a", to: "/room")
        world.engine.setReachable(true)
        world.rest()
        // Its number had been another message's, which both have got.
        #expect(world.texts(one) == ["a 8"] && world.texts(other) == ["a 8"])
        #expect(near.server.position(of: "/room")?.epoch != fifth?.epoch)
        let resumed = try world.connect(far, after: fifth)
        #expect(world.texts(resumed).map { $0.split(separator: " ")[0] }.dropLast() == ["6", "7", "a"])
        #expect(world.texts(try world.connect(far, after: tenth)).last?.hasSuffix("gap") ?? false)
    }

    @Test func `an engine that has lost nothing goes on without a gap`() throws {
        let (near, far) = (try world.node(), try world.node())
        let clients = try [world.connect(near), world.connect(far)]
        let scout = try world.connect(far)
        var position: Position?
        for round in 0..<5 {
            near.server.publish("\(round)", to: "/room")
            world.rest()
            if round == 0 { position = world.position(in: scout, of: "0") }
            world.engine.setReachable(false)
            world.engine.restart(losing: 0)
            world.engine.setReachable(true)
            world.rest()
        }
        for client in clients { #expect(world.texts(client) == (0..<5).map { "\($0) \($0 + 1)" }) }
        #expect(world.events.filter { if case .historyGap = $0 { true } else { false } } == [])
        let returned = try world.connect(far, after: position)
        #expect(world.texts(returned).dropLast() == (1..<5).map { "\($0) \($0 + 1)" })
    }

    @Test func `an engine that has lost everything is a gap, and what waited for it is handed on`() throws {
        let (near, far) = (try world.node(), try world.node())
        let client = try world.connect(far)
        near.server.publish("old", to: "/room")
        world.rest()
        world.engine.setReachable(false)
        world.engine.restart(losing: nil)
        for text in ["x", "y"] { near.server.publish(text, to: "/room") }
        world.engine.setReachable(true)
        world.rest()
        #expect(world.texts(client) == ["old 1", "x 1", "y 2"])
        #expect(far.server.clusterStatistics?.historyGaps == 1)
    }

    @Test
    func `a new subscriber gets what the topic retains, on whichever node, and what this node publishes behind it`()
        throws
    {
        let (near, far) = (try world.node(loops: 2), try world.node(loops: 2))
        near.server.publish("kept", to: "/room", retain: true)
        near.server.publish("passed", to: "/room")
        let client = try far.connect("/room?say=now")
        world.rest()
        #expect(world.texts(client) == ["kept 1", "now 3"])
        #expect(world.texts(try world.connect(far)) == ["kept 1"])
    }

    @Test func `once nobody on a node is subscribed it knows nothing, and begins anew with the next one`() throws {
        let (near, far) = (try world.node(), try world.node())
        let client = try world.connect(far)
        near.server.publish("1", to: "/room")
        world.rest()
        let position = try #require(world.position(in: client, of: "1"))
        client.close()
        far.advance(by: .seconds(6))
        #expect(far.server.position(of: "/room") == nil && far.server.historyUsage.topics == 0)
        near.server.publish("2", to: "/room")
        let (fresh, returned) = (try world.connect(far), try world.connect(far, after: position))
        near.server.publish("3", to: "/room")
        world.rest()
        #expect(world.texts(fresh) == ["3 3"])
        #expect(world.texts(returned).filter { !$0.contains("resumed") } == ["2 2", "3 3"])
    }

    @Test func `who leaves while it is resuming gets nothing, and a reference hears so`() async throws {
        let (near, far) = (try world.node(), try world.node())
        near.server.publish("1", to: "/room")
        world.engine.setReachable(false, for: far.server)
        let client = try world.connect(far, after: .oldest)
        client.send("leave")
        let stays = try world.connect(far, after: .oldest)
        world.engine.setReachable(true, for: far.server)
        world.rest()
        #expect(world.texts(client) == ["left"] && world.texts(stays) == ["1 1", "resumed 1"])
        let reference = try world.connect(far, path: "/idle")
        far.rest()
        reference.send("await")
        try await far.serve { reference.received.count == 2 }
        #expect(world.texts(reference) == ["1 1", "awaited resumed 1"])
    }

    @Test func `what is published while the engine is away waits within its bound`() throws {
        let (near, far) = (try world.node(waitingMessages: 2), try world.node())
        let clients = try [world.connect(near), world.connect(far)]
        world.engine.setReachable(false, for: near.server)
        let results = ["1", "2", "3"].map { near.server.publish($0, to: "/room") }
        #expect(results == [.backpressure, .backpressure, .dropped])
        world.rest()
        #expect(world.texts(clients[0]) == [], "it has no number yet")
        world.engine.setReachable(true, for: near.server)
        world.rest()
        for client in clients { #expect(world.texts(client) == ["1 1", "2 2"]) }
        #expect(near.server.clusterStatistics?.dropped == 1)
    }
}
