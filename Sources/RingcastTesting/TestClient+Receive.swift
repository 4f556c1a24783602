import HTTPProtocol
import Ringcast
import WebSocketProtocol

/// What comes: the answer to the handshake, then frames.
extension TestClient {
    /// The client once its handshake is answered, waiting for that in real time: for handlers that wait for something
    /// outside of the loops, such as another thread, or a sleep that is not the virtual clock's. Time passes on the
    /// network, and nowhere else.
    /// - Parameters:
    ///   - timeout: of real time, against hanging only.
    ///   - isolation: the caller's, which it does not leave.
    /// - Throws: a `TestClientError`, as `TestServer.connect` does, and `timedOut`; or `CancellationError`.
    @discardableResult
    public func opened(
        within timeout: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation
    ) async throws -> TestClient {
        try await network.serve(within: timeout, isolation: isolation) { isDecided }
        try check()
        return self
    }

    var isDecided: Bool {
        agreement != nil || fault != nil || answer.isComplete || answer.fault != nil || !isConnected
    }

    func check() throws(TestClientError) {
        if agreement != nil { return }
        if let fault = fault ?? answer.fault { throw .invalidAnswer(fault) }
        if let response = answer.response { throw .refused(response) }
        throw isConnected ? .unanswered : .disconnected
    }

    private func handshakeAnswered() {
        guard let head = answer.head, head.status == 101 else { return endItsSide() }
        do {
            let agreement = try handshake.check(HandshakeResponse(head))
            self.agreement = agreement
            compression = agreement.deflate.map(TestCompression.init)
            frames = FrameReader(allowsCompression: compression != nil)
            phase = .open
            read(answer.rest)
        } catch {
            fault = "\(error)"
            resetItsSide()
        }
    }

    func take(_ bytes: [UInt8]) {
        switch phase {
        case .connecting:
            answer.read(bytes)
            if answer.isComplete || answer.fault != nil { handshakeAnswered() }
        case .open, .closing: read(bytes)
        case .closed: break
        }
    }

    private func read(_ received: [UInt8]) {
        var copy = received
        var memory = copy.mutableSpan
        var input = unsafe memory.mutableBytes
        var position = 0
        while phase != .closed, let (event, bytes) = frames.next(in: &input, at: &position) {
            switch event {
            case .message(let kind, _): take(kind, bytes)
            case .ping:
                receivedPings.append(bytes)
                if answersPings, phase == .open { write(.pong, bytes) }
            case .pong: receivedPongs.append(bytes)
            case .close(let code, _): closed(code, String(decoding: bytes, as: UTF8.self))
            case .violation(let found): fail(found)
            }
        }
    }

    private func take(_ kind: MessageKind, _ payload: [UInt8]) {
        do {
            let bytes = kind.isCompressed ? try compression?.inflate(payload) ?? [] : payload
            messages.append(kind.isText ? .text(String(decoding: bytes, as: UTF8.self)) : .binary(bytes))
        } catch {
            fail(.invalidDeflate)
        }
    }

    private func closed(_ code: CloseCode?, _ reason: String) {
        closing = (code ?? .noStatusReceived, reason)
        if answersClose, phase == .open { write(.close, Self.closePayload(code, "")) }
        phase = .closing
    }

    private func fail(_ found: ProtocolViolation) {
        violation = found
        resetItsSide()
        lost()
    }

    func lost() {
        if phase == .connecting { answer.connectionEnded() }
        if phase != .connecting, closing == nil { closing = (.abnormalClosure, "") }
        phase = .closed
    }
}
