import HTTP2Protocol
import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

extension HTTPExchange {
    /// The most requests of one connection that are answered in a turn.
    static let requestsPerTurn = 64
    /// So many bytes may be unread by the client before its next request waits.
    static let outputWatermark = 256 << 10

    /// What the client's next bytes are read as.
    enum Input {
        case head
        /// A body that is collected.
        case body
        /// A body that is read as it comes.
        case stream
    }

    /// What the client's next bytes are read as; nil while they have to wait.
    var nextInput: Input? {
        if let intake { return intake.isReading ? .stream : nil }
        switch phase {
        case .head: return .head
        case .body: return .body
        case .deferred, .streaming, .closing: return nil
        }
    }

    /// Handles the requests in `bytes`. Returns how many bytes were consumed: an incomplete head is left, to come again
    /// in front of what follows it.
    func receive(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        var position = 0
        var answered = 0
        while position < bytes.byteCount, let nextInput {
            guard answered < Self.requestsPerTurn, connection.queuedByteCount <= Self.outputWatermark else {
                yieldTurn(connection)
                return position
            }
            let input = bytes.bytes.extracting(droppingFirst: position)
            let consumed: Int? =
                switch nextInput {
                case .head: receiveHead(input, on: connection)
                case .body: receiveBody(input, on: connection)
                case .stream: receiveStreamed(input, on: connection)
                }
            guard let consumed else { break }
            position += consumed
            answered += 1
        }
        return phase == .closing && slot != nil ? bytes.byteCount : position
    }

    /// Goes on with the next request in the loop's next turn, or when a client that is behind has read its answers.
    private func yieldTurn(_ connection: Connection) {
        if connection.isBlocked {
            isPausedForOutput = true
            connection.notifyWhenDrained()
            connection.pauseReceiving()
        } else {
            connection.continueNextTurn()
        }
    }

    /// Reads a head at the start of `input`, and returns how many bytes that consumed; nil for an incomplete head.
    private func receiveHead(_ input: RawSpan, on connection: Connection) -> Int? {
        switch parser.parse(input) {
        case .incomplete:
            headBegins(connection)
            return nil
        case .refused(let refusal):
            switch priorKnowledge(input, on: connection) {
            case .http1:
                refuse(refusal, on: connection)
                return input.byteCount
            case .unknown:
                parser = RequestHeadParser(limits: loop.headLimits)
                headBegins(connection)
                return nil
            case .http2:
                carry(connection)
                return 0
            }
        case .complete(let layout):
            parser = RequestHeadParser(limits: loop.headLimits)
            headHasBegun = false
            return receiveRequest(layout, in: input, on: connection)
        }
    }

    /// Answers a request with a complete head if its body is here too, else begins to collect or to stream the body.
    private func receiveRequest(_ layout: RequestHeadLayout, in input: RawSpan, on connection: Connection) -> Int {
        let rest = input.extracting(droppingFirst: layout.byteCount)
        switch layout.body {
        case .none:
            answer(layout, head: input, body: rest.extracting(first: 0), on: connection)
            return layout.byteCount
        case .length(let length) where length <= min(rest.byteCount, loop.limits.bodyBytes):
            answer(layout, head: input, body: rest.extracting(first: length), on: connection)
            return layout.byteCount + length
        case .length, .chunked, .untilEnd:
            let head = input.extracting(first: layout.byteCount)
            let routes = loop.application.routes
            switch acceptBody(layout, head: head, routes, on: connection) {
            case .collected(let limit): collect(layout, head: head, limit: limit, judge: routes, on: connection)
            case .streamed(let limit): answerAtHead(layout, head: head, limit: limit, on: connection)
            case nil: return input.byteCount
            }
            return layout.byteCount
        }
    }

    private func collect(
        _ layout: RequestHeadLayout, head: RawSpan, limit: Int, judge: RouteTable?, on connection: Connection
    ) {
        collected = CollectedRequest(
            // Safe: copied before the closure returns.
            head: unsafe head.withUnsafeBytes { unsafe [UInt8]($0) }, layout: layout, judge: judge,
            decoder: BodyDecoder(framing: layout.body, limit: limit))
        phase = .body
        bodyBegins(connection)
        if layout.expectsContinue { sendContinue(on: connection) }
    }

    /// Gives leave to send the body to a client that waits for it (RFC 9110 §10.1.1).
    func sendContinue(on connection: Connection) {
        guard !isStream else {
            connection.http2Carrier?.sendContinue(on: connection)
            return
        }
        let line = ResponseEncoder.continueLine
        unsafe connection.send(line.span.bytes)
    }

    /// Takes the next bytes of the body, and returns how many those were.
    private func receiveBody(_ input: RawSpan, on connection: Connection) -> Int? {
        guard var request = collected.take() else { preconditionFailure("a body without a head") }
        var position = 0
        while let event = request.decoder.next(in: input, at: &position) {
            switch event {
            case .data(let range):
                // Safe: copied before the closure returns.
                unsafe input.extracting(range).withUnsafeBytes { unsafe request.body.append(contentsOf: $0) }
            case .end:
                phase = .head
                answer(
                    request.layout, head: unsafe request.head.span.bytes, body: unsafe request.body.span.bytes,
                    isAccepted: request.judge === loop.application.routes, on: connection)
                return position
            case .refused(let refusal):
                collected = request
                refuse(refusal, on: connection)
                return input.byteCount
            }
        }
        collected = request
        return position
    }
}
