#if Tracing
    import HTTPTypes
    import InMemoryTracing
    import ReactorTesting
    import Ringcast
    import Synchronization
    import Testing
    import Tracing

    @testable import RingcastTracing

    /// Spans of requests to a real server.
    @Suite struct RequestTracingTests {
        /// Asks a server that traces, a connection for each request, and returns the spans in the order of their ends.
        private func spans(
            of requests: [String], count: Int? = nil,
            fetch: @escaping @Sendable (borrowing Request, InMemoryTracer) throws -> Reply
        ) async throws -> [FinishedInMemorySpan] {
            let tracer = InMemoryTracer()
            var configuration = ServerConfiguration(
                hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false,
                stop: .init(window: .zero, deadline: .milliseconds(200)))
            configuration.logger.logLevel = .critical
            let server = try Server(
                configuration: configuration,
                fetch: RequestTracing(tracer).around { request in try fetch(request, tracer) })
            async let end: Void = server.run()
            for request in requests {
                let client = TCPClient(port: server.port)
                client.send(Array(request.utf8))
                _ = client.receive(upTo: 4_096)
            }
            while tracer.finishedSpans.count < count ?? requests.count {
                try await Task.sleep(for: .milliseconds(1))
            }
            server.stop()
            try await end
            return tracer.finishedSpans
        }

        private func get(_ path: String, _ fields: String = "") -> String {
            "GET \(path) HTTP/1.1\r\nHost: here\r\n\(fields)\r\n"
        }

        private func value(_ key: String, of span: FinishedInMemorySpan) -> SpanAttribute? {
            span.attributes[key]?.toSpanAttribute()
        }

        private let upgrade =
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

        @Test func `a request is a span with its answer's status, within the context of its headers`() async throws {
            let spans = try await spans(of: [get("/a", "In-Memory-Trace-ID: t\r\nIn-Memory-Span-ID: s\r\n")]) { _, _ in
                .response(.notFound)
            }
            #expect(spans[0].operationName == "GET" && spans[0].kind == .server)
            #expect(spans[0].traceID == "t" && spans[0].parentSpanID == "s")
            #expect(value("url.path", of: spans[0]) == .string("/a"))
            #expect(value("http.response.status_code", of: spans[0]) == .int64(404))
            #expect(value("client.address", of: spans[0]) == .string("127.0.0.1"))
        }

        @Test func `the application's spans are children, in fetch and in a deferred reply`() async throws {
            let spans = try await spans(of: [get("/now"), get("/later")], count: 4) { request, tracer in
                let path = request.path
                tracer.withAnySpan("in \(path)") { _ in }
                guard path == "/later" else { return .response(.ok) }
                return .deferred {
                    tracer.withAnySpan("behind \(path)") { _ in }
                    return .response(.serviceUnavailable)
                }
            }
            let parents = spans.filter { $0.operationName == "GET" }
            #expect(parents.map { value("http.response.status_code", of: $0) } == [.int64(200), .int64(503)])
            #expect(parents[1].status?.code == .error)
            for span in spans where span.operationName.hasSuffix("later") {
                #expect(span.parentSpanID == parents[1].spanID)
            }
            #expect(spans.first { $0.operationName == "in /now" }?.parentSpanID == parents[0].spanID)
        }

        @Test func `an upgrade ends with the 101 or its refusal, and an error is recorded`() async throws {
            let handlers = WebSocketHandlers<Void>(message: { _, _ in })
            let requests = [get("/", upgrade), get("/", upgrade + "Origin: http://elsewhere\r\n"), get("/throws")]
            let spans = try await spans(of: requests) { request, _ in
                if request.path == "/throws" { throw CancellationError() }
                return .upgrade(to: handlers)
            }
            let codes = spans.map { value("http.response.status_code", of: $0) }
            #expect(codes == [.int64(101), .int64(403), .int64(500)])
            #expect(value("network.protocol.name", of: spans[0]) == .string("websocket"))
            #expect(spans[2].errors.count == 1)
        }

        @Test func `a client that leaves before the answer ends the span`() async throws {
            let tracer = InMemoryTracer()
            let server = try Server(
                configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false),
                fetch: RequestTracing(tracer).around { _ in
                    .deferred {
                        try await Task.sleep(for: .seconds(3_600))
                        return .response(.ok)
                    }
                })
            async let end: Void = server.run()
            var client: TCPClient? = TCPClient(port: server.port)
            client?.send(Array(get("/").utf8))
            while tracer.activeSpans.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            client = nil  // which closes it
            while tracer.finishedSpans.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            #expect(tracer.finishedSpans[0].status?.code == .error)
            #expect(value("http.response.status_code", of: tracer.finishedSpans[0]) == nil)
            server.stop()
            try await end
        }

        @Test func `a message has a span where its handler asks for one`() async throws {
            let tracer = InMemoryTracer()
            let handlers = WebSocketHandlers<Void>(asyncMessage: { ws, message in
                await ws.withSpan("move", for: message, tracer: tracer) { _ in
                    _ = ws.send("\(ServiceContext.current?.inMemorySpanContext != nil)")
                }
            })
            let server = try Server(
                configuration: .init(hostname: "127.0.0.1", port: 0, loops: .count(1), pinsThreads: false)
            ) { _ in .upgrade(to: handlers) }
            async let end: Void = server.run()
            let socket = try await WebSocketClient.connect(ClientRequest("ws://127.0.0.1:\(server.port)/"))
            try await socket.send("hello")
            for try await message in socket.messages {
                #expect(message.string == "true")
                break
            }
            await socket.close()
            server.stop()
            try await end
            #expect(tracer.finishedSpans.map(\.operationName) == ["move"])
            #expect(value("messaging.message.body.size", of: tracer.finishedSpans[0]) == .int64(5))
        }

        @Test func `headers are found by any case, W3C's among them`() {
            var fields = HTTPFields()
            fields[HTTPField.Name("TraceParent")!] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            #expect(HeaderExtractor().extract(key: "traceparent", from: fields)?.hasPrefix("00-0af7") == true)
            #expect(HeaderExtractor().extract(key: "tracestate", from: fields) == nil)
            #expect(HeaderExtractor().extract(key: "no name", from: fields) == nil)
        }
    }
#endif
