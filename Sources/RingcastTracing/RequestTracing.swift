// Without the package's trait `Tracing` there is no swift-distributed-tracing, and this module is empty.
#if Tracing
    import HTTPTypes
    public import Ringcast
    public import Tracing

    /// A span for each request and upgrade, within the context that the request's headers carry (W3C's `traceparent`,
    /// or whatever the tracer looks for).
    ///
    ///     let tracing = RequestTracing()
    ///     let server = try Server(configuration: configuration, fetch: tracing.around { request in … })
    ///
    /// While `fetch` runs, and in the task of a deferred reply, the span's context is the current one, so that spans of
    /// the application are its children. It ends when the answer has been queued, and has the answer's status; an
    /// upgrade's ends with the 101 or the refusal. Who does not use this type pays nothing; who does pays a copy of the
    /// request's headers, and what the tracer costs, per request.
    public struct RequestTracing: Sendable {
        private let tracer: any Tracer

        /// - Parameter tracer: what makes the spans; by default what `InstrumentationSystem` was set up with.
        public init(_ tracer: any Tracer = InstrumentationSystem.tracer) { self.tracer = tracer }

        /// The same `fetch`, with a span for each request, on the loop that calls it. Throws what `fetch` throws.
        public func around(
            _ fetch: @escaping @Sendable (borrowing Request) throws -> Reply
        ) -> @Sendable (borrowing Request) throws -> Reply {
            { request in try trace(request, fetch) }
        }

        /// Answers one request within a span: for middleware.
        /// - Parameters:
        ///   - request: whose headers carry the context.
        ///   - name: the span's; by default the method, since there are few of them. A route's pattern is better, a
        ///     path as it came worse than nothing.
        ///   - fetch: makes the answer.
        /// - Throws: what `fetch` throws, unless it is a `Reply`, which is returned.
        public func trace(
            _ request: borrowing Request, name: String? = nil, _ fetch: (borrowing Request) throws -> Reply
        ) throws -> Reply {
            var context = ServiceContext.current ?? .topLevel
            tracer.extract(request.headers, into: &context, using: HeaderExtractor())
            let span = tracer.startAnySpan(name ?? request.method.rawValue, context: context, ofKind: .server)
            span.attributes["http.request.method"] = request.method.rawValue
            span.attributes["url.path"] = request.path
            span.attributes["url.scheme"] = request.isSecure ? "https" : "http"
            if let host = request.host { span.attributes["server.address"] = host }
            if let address = request.remoteAddress {
                span.attributes["client.address"] = address.ipAddress ?? address.path
            }
            if request.isWebSocketUpgrade { span.attributes["network.protocol.name"] = "websocket" }
            do {
                let reply: Reply
                do {
                    reply = try ServiceContext.withValue(span.context) { try fetch(request) }
                } catch let thrown as Reply {
                    reply = thrown
                }
                let traced = span.context
                return reply.whenAnswered { status in Self.end(span, with: status) }
                    .inSurroundings { ServiceContext.withValue(traced, operation: $0) }
            } catch {
                span.recordError(error)
                Self.end(span, with: .internalServerError)
                throw error
            }
        }

        private static func end(_ span: any Span, with status: HTTPResponse.Status?) {
            if let status {
                span.attributes["http.response.status_code"] = status.code
                if status.kind == .serverError { span.setStatus(SpanStatus(code: .error)) }
            } else {
                span.setStatus(SpanStatus(code: .error, message: "the connection ended before the answer"))
            }
            span.end()
        }
    }

    /// Finds what tracers ask for among the fields of a request, whose names are case-insensitive.
    struct HeaderExtractor: Extractor {
        func extract(key: String, from fields: HTTPFields) -> String? { HTTPField.Name(key).flatMap { fields[$0] } }
    }

    extension WebSocketRef {
        /// Runs an asynchronous handler's work on a message within a span, which is the current one meanwhile.
        ///
        ///     asyncMessage: { ws, message in
        ///         try await ws.withSpan("move", for: message) { span in … }
        ///     }
        ///
        /// A socket lives for hours, and its upgrade's span is over: keep `ServiceContext.current` of `fetch`, if
        /// messages are to be its children.
        /// - Parameters:
        ///   - name: the span's: one of few.
        ///   - message: what is worked on, whose length the span has.
        ///   - context: what the span belongs to; by default the current context, and else none.
        ///   - tracer: what makes the span.
        ///   - isolation: the caller's, which it does not leave.
        ///   - body: the work.
        public func withSpan<Result>(
            _ name: String, for message: OwnedMessage, context: ServiceContext? = nil,
            tracer: any Tracer = InstrumentationSystem.tracer, isolation: isolated (any Actor)? = #isolation,
            _ body: (any Span) async throws -> Result
        ) async rethrows -> Result {
            try await tracer.withAnySpan(
                name, context: context ?? ServiceContext.current ?? .topLevel, ofKind: .consumer
            ) { span in
                span.attributes["ringcast.socket"] = id
                span.attributes["messaging.message.body.size"] = message.byteCount
                return try await body(span)
            }
        }
    }
#endif
