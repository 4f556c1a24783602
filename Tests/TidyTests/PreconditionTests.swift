import Testing

/// Where a process may end itself. What a peer's input can cause is never one of these: it is mapped, cut, or made a
/// result.
@Suite struct PreconditionTests {
    /// How many there are in each file, and who alone can break them.
    static let allowed: [String: (count: Int, reason: String)] = [
        // Laws of one type that its own module keeps: sizes of tables, order of calls, places in memory.
        "IOUring/BufferRing.swift": (1, "a constant of the driver"),
        "PubSub/LocalTopic.swift": (2, "places that the table itself keeps"),
        "PubSub/RecentTopics.swift": (1, "the layout of a string"),
        "PubSub/SharedFrame.swift": (1, "lengths of an encoded frame"),
        "PubSub/SubscriptionTable.swift": (1, "the loop's own index"),
        "PubSub/TopicEntry+Variants.swift": (1, "the loop's own index"),
        "PubSub/TopicEntry.swift": (3, "the loop's own index"),
        "PubSub/TopicRegistry.swift": (1, "the number of loops, checked before"),
        "HTTPProtocol/RequestHead.swift": (1, "a layout is made of the bytes that it is used with"),
        "HTTP2Protocol/HTTP2Connection.swift": (1, "out of memory"),
        "WebSocketProtocol/AssemblyBuffer.swift": (2, "places that the decoder itself keeps"),
        "WebSocketProtocol/ClientHandshake.swift": (1, "this side's nonce"),
        "WebSocketProtocol/Deflate/Deflater.swift": (
            5, "agreed bits are 8 to 15 when parsed; memory; zlib's own state"
        ),
        "WebSocketProtocol/Deflate/Inflater.swift": (2, "agreed bits are 8 to 15 when parsed; memory"),
        "WebSocketProtocol/Deflate/MessageBuffer.swift": (5, "places that the caller has just been given; memory"),
        "WebSocketProtocol/FrameDecoder+Payload.swift": (1, "the decoder's stages"),
        "WebSocketProtocol/FrameEvent.swift": (1, "the decoder asks for the opcode before"),
        "WebSocketProtocol/FrameHeader.swift": (1, "lengths of what is there"),
        "WebSocketProtocol/Masking.swift": (1, "a range that the decoder has cut to the input"),
        "Reactor/HeldInput.swift": (1, "what the loop has given, checked in EventLoop+Input"),
        "Reactor/LoopHistogram.swift": (1, "a constant"),
        "Reactor/JobQueue.swift": (1, "a loop's end"),
        "Reactor/LoopDirectory.swift": (1, "loops that are told of each other twice"),
        "Reactor/MPSCQueue.swift": (1, "a constant"),
        "Reactor/Mailbox.swift": (1, "the loop's own index"),
        "Reactor/SPSCLane.swift": (1, "a constant"),
        "Reactor/SendQueue.swift": (1, "a queue's end"),
        "Reactor/SendQueue+Operation.swift": (1, "what the kernel took is part of what it was given"),
        "Reactor/SharedLog.swift": (1, "a range that a run has kept"),
        "Reactor/TimerWheel.swift": (1, "slots have 24 bits"),
        "Ringcast/HTTP/HTTPExchange+Receive.swift": (1, "a body is collected behind its head"),
        "Ringcast/Server/LoopMessage.swift": (1, "kinds that this module packs"),
        "Ringcast/Topics/SocketLoop+FanOut.swift": (1, "frames that this module encodes"),
        "Ringcast/Topics/SocketLoop+TotalOrder.swift": (1, "frames that this module encodes"),
        "Ringcast/Session/ErasedHandlers.swift": (1, "an abstract member"),
        // What the kernel or a library refuses, with nothing left to do.
        "SystemCalls/SystemRandom.swift": (1, "no random bytes"),
        "Reactor/TLS/TLSSession.swift": (1, "out of memory"),
        "Reactor/TLS/TLSTransport.swift": (1, "out of memory"),
        "RingcastCluster/EngineLanguage.swift": (1, "histories are asked of engines that remember alone"),
        "RingcastCluster/NATS/NATSIntroduction.swift": (1, "strings and booleans that are no JSON"),
        "RingcastCluster/Redis/RedisLanguage.swift": (1, "out of memory"),
        "RingcastCluster/Redis/RedisReader.swift": (1, "out of memory"),
        "IOUring/Ring.swift": (2, "the ring takes no submission"),
        "Reactor/UringDriver.swift": (2, "the ring is gone"),
        // A program's author: options, and code that a handler is made of.
        "HTTPProtocol/RequestLimits.swift": (1, "options"),
        "Reactor/AddressRange.swift": (1, "a literal"),
        "Reactor/Epoll/EpollDriver+Wait.swift": (1, "the loop asks before"),
        "Reactor/Epoll/ReceiveBufferPool.swift": (1, "buffers that the driver has lent"),
        "Reactor/EventLoop+Carry.swift": (1, "a carrier looks whether it has ended before it takes a stream"),
        "Reactor/SendQueue+Moving.swift": (1, "what a carrier was told of is there until the carrier takes it"),
        "Reactor/EventLoop+Input.swift": (1, "how much a handler of the Reactor says that it has consumed"),
        "Ringcast/HTTP/Request.swift": (1, "there is a server wherever there are requests, but in tests"),
        "Ringcast/HTTP/Routes/CORS.swift": (1, "options"),
        "Ringcast/HTTP/Routes/Middleware+BearerToken.swift": (1, "options"),
        "Ringcast/Metrics/MetricFamily.swift": (3, "metrics that a program adds of its own"),
        "Ringcast/Topics/TopicRule.swift": (3, "options"),
        "Ringcast/Topics/TopicRule+History.swift": (2, "options"),
        "Ringcast/Topics/SlowConsumerPolicy.swift": (1, "options"),
        "Ringcast/WebSocket/WebSocket.swift": (2, "exclusivity of data, by the handler's own code"),
        "Ringcast/WebSocket/WebSocket+Server.swift": (1, "a client's handler that asks for a server"),
        "Ringcast/WebSocket/WebSocketHandlers.swift": (2, "options"),
        // Tests' own: a loop that breaks a law of its driver, and a test that never ends.
        "SimulatedKernel/Laws.swift": (1, "a loop's breach of a law"),
        "SimulatedKernel/SimulatedDriver+Requests.swift": (1, "a loop's breach of a law"),
        "SimulatedKernel/SimulatedDriver.swift": (1, "no eventfd"),
        "SimulatedKernel/SimulatedGroup.swift": (1, "loops that do not rest"),
        "RingcastTesting/TestNetwork.swift": (1, "a server and clients that do not rest"),
        "SimulatedKernel/SimulatedLoop.swift": (2, "a loop that does not rest or end"),
        "SimulatedKernel/SimulatedPeer.swift": (1, "a peer that says more behind its end"),
        // The load engine, in a process of its own.
        "LoadTesting/Engine/Pacer.swift": (1, "no thread"),
        "LoadTesting/Engine/Workers.swift": (1, "a plan that was checked before"),
    ]

    @Test func `what ends the process is counted, and never a peer's to cause`() {
        var found: [String: Int] = [:]
        for file in Repository.sources {
            let count = file.code.count { line in
                ["precondition(", "preconditionFailure(", "fatalError("].contains(where: line.contains)
            }
            if count > 0 { found[String(file.path.dropFirst("Sources/".count))] = count }
        }
        for name in Set(found.keys).union(Self.allowed.keys).sorted() {
            let (count, allowed) = (found[name] ?? 0, Self.allowed[name]?.count ?? 0)
            #expect(count == allowed, "\(name): \(count) preconditions, \(allowed) have been argued for")
        }
    }

    @Test func `no cast or attempt is forced`() {
        for file in Repository.sources {
            for (number, line) in file.code.enumerated() where line.contains("try!") || line.contains("as!") {
                Issue.record("\(file.path):\(number + 1): \(line)")
            }
        }
    }
}
