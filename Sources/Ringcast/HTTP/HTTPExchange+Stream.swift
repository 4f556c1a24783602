import HTTPProtocol
import HTTPTypes
import Reactor

/// Streamed answers: the head at once, then what a task of the user's writes, as the client takes it. Nothing is read
/// meanwhile but the request's own body, as behind a deferred reply; the kernel is asked now and then whether the
/// client is still there.
extension HTTPExchange {
    /// Sends the head, and starts the task that writes the body, if the answer has one.
    /// - Returns: why it could not be sent, and 500 was; nil if it was sent.
    func begin(
        _ response: StreamedResponse, to request: RequestSummary, on connection: Connection
    ) -> UnsendableResponse? {
        let framing = response.framing(isHTTP11: request.isHTTP11 && !isStream)
        let hasBody = !request.isHead && response.status.allowsBody
        let keepsAlive =
            keepsAlive(behind: response.headers, to: request) && !(hasBody && framing == .endOfConnection)
        let head = StreamHead(
            status: response.status, headers: response.headers, framing: framing, keepsAlive: keepsAlive)
        if let failure = send(head, to: request, on: connection) { return failure }
        // Leave to send the body would come behind the answer's head now.
        if !hasBody || intake?.owesContinue == true { endIntake(.answered) }
        guard hasBody else {
            if keepsAlive { awaitNextRequest(connection) } else { close(connection) }
            return nil
        }
        phase = .streaming
        if nextInput == nil { connection.pauseReceiving() }
        let stream = BodyStream(self, framing: framing, keepsAlive: keepsAlive, to: request)
        self.stream = stream
        stream.task = start(response.body, writing: stream)
        phaseDeadline = nil
        arm(.max, on: connection)
        return nil
    }

    /// Sends the head of an answer whose body comes later, if it has one, and counts the answer.
    /// - Returns: why it could not be sent, and 500 was; nil if it was sent.
    func send(_ head: StreamHead, to request: RequestSummary, on connection: Connection) -> UnsendableResponse? {
        do throws(UnsendableResponse) {
            if isStream {
                try sendOnStream(head, isHead: request.isHead, on: connection)
            } else {
                try write(head, to: request, on: connection)
            }
        } catch {
            respond(.internalServerError, to: request, on: connection)
            return error
        }
        loop.events.responses.count(head.status)
        noteAnswer(head.status, to: request)
        return nil
    }

    private func write(
        _ head: StreamHead, to request: RequestSummary, on connection: Connection
    ) throws(UnsendableResponse) {
        var bytes: [UInt8] = []
        try ResponseEncoder.encode(
            status: head.status, fields: head.headers, framing: head.framing, keepAlive: head.keepsAlive,
            isHead: request.isHead, isHTTP11: request.isHTTP11, date: loop.date.value(at: loop.now), into: &bytes)
        unsafe connection.send(bytes.span.bytes)
    }

    private func start(
        _ body: @escaping @Sendable (BodyWriter) async throws -> Void, writing stream: BodyStream
    ) -> Task<Void, Never> {
        let executor = loop.eventLoop.executor
        let writer = BodyWriter(stream, on: loop)
        let ending = LoopBound((exchange: self, stream: stream), executor: executor)
        return Task(executorPreference: executor) {
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(writer)) } catch { outcome = .failure(error) }
            // Not run if the loop has ended meanwhile, and the connection with it.
            ending.use { exchange, stream in
                guard exchange.stream === stream, let connection = exchange.connection else { return }
                stream.outcome = outcome
                exchange.advanceStream(on: connection)
            }
        }
    }

    /// Queues what is to be written, as far as there is room; the rest goes on when the kernel has taken that. Behind
    /// the last write the body ends.
    func advanceStream(on connection: Connection) {
        guard let stream else { return }
        while var write = stream.takeNext() {
            let room = max(0, Self.outputWatermark - connection.queuedByteCount)
            let count = min(room, write.bytes.count - write.position)
            send(write.bytes, write.position..<write.position + count, framing: stream.framing, on: connection)
            write.position += count
            stream.current = write
            guard write.position == write.bytes.count else { return connection.notifyWhenDrained() }
            stream.current = nil
            write.continuation.resume()
        }
        if let outcome = stream.outcome { finish(stream, outcome, on: connection) }
    }

    /// Queues a piece of the body. An empty one would be the last chunk, and is left out.
    private func send(_ bytes: [UInt8], _ range: Range<Int>, framing: ResponseFraming, on connection: Connection) {
        guard !range.isEmpty else { return }
        connection.send(framing.prefix(ofPiece: range.count))
        unsafe connection.send(bytes.span.bytes.extracting(range))
        connection.send(framing.suffixOfPiece)
    }

    private func finish(_ stream: BodyStream, _ outcome: Result<Void, any Error>, on connection: Connection) {
        if case .failure(let error) = outcome {
            // What goes wrong when the client has left is no fault of the body's.
            guard !connection.peerHasEnded else { return cut(connection) }
            loop.report(
                .replyThrown(ObjectIdentifier(type(of: error))), "a streamed body threw: \(error)",
                loop.metadata(of: connection, path: stream.request.path))
            return cut(connection)
        }
        guard stream.missingByteCount ?? 0 == 0 else {
            return cutStream("has fewer bytes than its length", on: connection)
        }
        connection.send(stream.framing.end)
        self.stream = nil
        endIntake(.answered)
        goOn(on: connection)
        if stream.keepsAlive, !loop.core.hasBeenStopped {
            awaitNextRequest(connection)
        } else {
            close(connection)
        }
    }

    /// Cuts a body that is not what was announced: a programming error.
    func cutStream(_ fault: String, on connection: Connection) {
        loop.report(
            .unsendable, "a streamed body \(fault)", loop.metadata(of: connection, path: stream?.request.path ?? ""))
        cut(connection)
    }

    /// Cuts the connection if the client has left, or is too slow with the body; else arms the next look.
    func lookForReader(_ connection: Connection) {
        if connection.peerHasEnded { return cut(connection) }
        if !awaitsBody(on: connection) { arm(.max, on: connection) }
    }

    /// Cancels the body's task, for which nobody waits any more.
    func endStream() {
        guard let stream else { return }
        self.stream = nil
        stream.cancel()
    }
}

/// The head of an answer whose body is not there yet.
struct StreamHead {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let framing: ResponseFraming
    /// Whether the connection stays open behind the answer.
    let keepsAlive: Bool
}

extension Connection {
    fileprivate func send(_ text: String) {
        // Safe: copied before the closure returns.
        unsafe text.withPayload { bytes in
            unsafe send(count: bytes.count) {
                unsafe $0.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
            }
        }
    }
}
