import Glibc
import HTTPProtocol
import HTTPTypes
import PubSub
import Reactor
import WebSocketProtocol

/// What has to be known of a request to answer it when its bytes are gone.
struct RequestSummary {
    let isHead: Bool
    let isHTTP11: Bool
    var keepsAlive: Bool
    /// Whether the request asks for a WebSocket. Its client may send frames at once, which cannot be told from
    /// requests, so that behind any answer but 101 nothing is read.
    let asksForWebSocket: Bool
    /// What an upgrade is judged by; nil where no upgrade can follow.
    let handshake: HandshakeRequest?
    /// What a file is judged by; nil where none can follow.
    let fileRequest: FileRequest?
    /// The last event that the client has; nil where no stream of events can follow.
    let lastEvent: Position?
    /// The path, decoded, where an upgrade, a file or a task can follow.
    let path: String
    /// Who waits for the answer.
    var observers: [AnswerObserver] = []

    /// - Parameter reply: what it is answered with; nil: a response.
    init(_ request: borrowing Request, for reply: Reply.Kind? = nil) {
        let (mayUpgrade, mayBeFile, mayBeEvents, isWhole) =
            switch reply {
            case .response?, nil: (false, false, false, true)
            case .stream?: (false, false, false, false)
            case .events?: (false, false, true, false)
            case .file?: (false, true, false, false)
            case .upgrade?: (true, false, false, false)
            case .deferred?: (true, true, true, false)
            }
        let layout = request.head.layout
        isHead = layout.isHead
        isHTTP11 = layout.isHTTP11
        keepsAlive = layout.keepsAlive
        asksForWebSocket = request.isWebSocketUpgrade
        handshake = mayUpgrade ? HandshakeRequest(request) : nil
        fileRequest = mayBeFile ? FileRequest(request) : nil
        lastEvent = mayBeEvents ? request.header(Self.lastEventID).flatMap { Position($0) } : nil
        path = isWhole ? "" : request.path
    }

    private static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

extension HandshakeRequest {
    init(_ request: borrowing Request) {
        let fields = HandshakeFields(request.head)
        self.init(
            method: request.method.rawValue, isHTTP11: request.head.layout.isHTTP11, host: request.host,
            upgrade: fields.upgrade, connection: fields.connection, key: fields.key, version: fields.version,
            subprotocols: fields.subprotocols, origin: fields.origin, extensions: fields.extensions,
            hasBody: request.head.layout.body != .none)
    }
}

extension HTTPExchange {
    /// Asks `fetch`, and gives its reply.
    /// - Parameters:
    ///   - isAccepted: whether the routes of today have been asked before the request's body was read.
    ///   - pipe: where the body comes from if it is read as it comes.
    func answer(
        _ layout: RequestHeadLayout, head: RawSpan, body: RawSpan, isAccepted: Bool = false, from pipe: BodyPipe? = nil,
        on connection: Connection
    ) {
        let request = Request(
            head: RequestHead(bytes: head, layout: layout), body: body,
            // Safe: the loop outlives what it answers.
            // `intake` keeps the pipe while the handler runs.
            peer: unsafe .connection(connection.slot, .passUnretained(loop)), pipe: pipe.map(LentPipe.init),
            isAccepted: isAccepted)
        let reply: Reply
        do {
            reply = try loop.application.fetch(request)
        } catch {
            reply = replacement(for: error, thrownBy: "fetch", path: request.path, on: connection)
        }
        var summary = RequestSummary(request, for: reply.kind)
        if let observer = reply.observer { summary.observers = [observer] }
        if let failure = give(reply, to: summary, on: connection) {
            reportUnsendable(failure, path: request.path, on: connection)
        }
    }

    /// What a request is answered with whose handler threw: by the reply that was thrown, else by 500, which is logged.
    /// - Parameter thrower: who threw, in the words of the log.
    func replacement(
        for error: any Error, thrownBy thrower: String, path: String, on connection: Connection
    ) -> Reply {
        if let reply = error as? Reply { return reply }
        loop.report(
            .replyThrown(ObjectIdentifier(type(of: error))), "\(thrower) threw: \(error)",
            loop.metadata(of: connection, path: path))
        return Reply(kind: .response(.internalServerError))
    }

    /// Gives a reply.
    /// - Returns: why it could not be sent, and 500 was; nil if it was sent.
    func give(_ reply: Reply, to request: RequestSummary, on connection: Connection) -> (any Error)? {
        switch reply.kind {
        case .response(let response): return respond(response, to: request, on: connection)
        case .upgrade(let upgrade):
            perform(upgrade, for: request, on: connection)
            return nil
        case .deferred(let body, let timeout):
            within(reply.observer) { wait(for: body, within: timeout, request, on: connection) }
            return nil
        case .stream(let response):
            var failure: UnsendableResponse?
            within(reply.observer) { failure = begin(response, to: request, on: connection) }
            return failure
        case .events(let events): return perform(events, for: request, on: connection)
        case .file(let file):
            let answer = Reply(kind: answer(with: file, to: request, on: connection), observer: reply.observer)
            return give(answer, to: request, on: connection)
        }
    }

    /// Starts a task in the surroundings that the reply's observer has given, if any.
    private func within(_ observer: AnswerObserver?, _ start: () -> Void) {
        guard let surroundings = observer?.surroundings else { return start() }
        surroundings(start)
    }

    func reportUnsendable(_ failure: any Error, path: String, on connection: Connection) {
        loop.report(
            .unsendable, "a response cannot be sent: \(failure)", loop.metadata(of: connection, path: path))
    }

    /// Sends a response, and goes on to the next request or closes.
    /// - Parameter refusal: why a WebSocket is refused by it, if the reason is known.
    /// - Returns: why it could not be sent, and 500 was; nil if it was sent.
    @discardableResult
    func respond(
        _ response: Response, to request: RequestSummary, refusing refusal: UpgradeRefusal? = nil,
        on connection: Connection
    ) -> UnsendableResponse? {
        let keepsAlive = keepsAlive(behind: response.headers, to: request)
        do throws(UnsendableResponse) {
            try send(
                response, keepAlive: keepsAlive, isHead: request.isHead, isHTTP11: request.isHTTP11, on: connection)
        } catch {
            respond(.internalServerError, to: request, on: connection)
            return error
        }
        noteAnswer(response.status, to: request, refusing: refusal)
        // What is left of a body cannot be told from a request.
        endIntake(.answered)
        if keepsAlive { awaitNextRequest(connection) } else { close(connection) }
        return nil
    }

    /// Whether the connection stays open behind an answer with these headers.
    func keepsAlive(behind headers: HTTPFields, to request: RequestSummary) -> Bool {
        request.keepsAlive && !request.asksForWebSocket && !isStream && !loop.core.hasBeenStopped && !inputHasEnded
            && intake == nil && !ResponseEncoder.asksToClose(headers)
    }

    /// Counts an answer whose head is queued, and tells who waits for it.
    func noteAnswer(
        _ status: HTTPResponse.Status, to request: RequestSummary, refusing refusal: UpgradeRefusal? = nil
    ) {
        if refusal != nil || request.asksForWebSocket {
            loop.events.refusedUpgrades.count(
                refusal ?? (status == .internalServerError ? .internalError : .application))
        }
        for observer in request.observers { observer.answered(status) }
    }

    /// Answers a request that cannot be served, and closes, since what follows it cannot be framed.
    func refuse(_ refusal: HTTPRefusal, on connection: Connection) {
        let response = Response(status: refusal.status, text: refusal.reason + "\n")
        let isHead = collected?.layout.isHead ?? parser.isHead
        // It can be sent, since its fields are ours.
        try? send(response, keepAlive: false, isHead: isHead, isHTTP11: true, on: connection)
        close(connection)
    }

    private func send(
        _ response: Response, keepAlive: Bool, isHead: Bool, isHTTP11: Bool, on connection: Connection
    ) throws(UnsendableResponse) {
        if isStream {
            try sendOnStream(response, isHead: isHead, on: connection)
        } else {
            var output: [UInt8] = []
            output.reserveCapacity(256 + response.body.count)
            try ResponseEncoder.encode(
                status: response.status, fields: response.headers, body: unsafe response.body.span.bytes,
                keepAlive: keepAlive, isHead: isHead, isHTTP11: isHTTP11, date: loop.date.value(at: loop.now),
                into: &output)
            unsafe connection.send(output.span.bytes)
        }
        loop.events.responses.count(response.status)
    }
}

/// The value of the `Date` header, made once a second.
struct DateHeader {
    private var value = ""
    private var second: UInt64 = .max

    /// The value at a moment of the loop's clock, in milliseconds.
    mutating func value(at now: UInt64) -> String {
        guard now / 1_000 != second else { return value }
        second = now / 1_000
        value = HTTPDate(secondsSince1970: time(nil)).description
        return value
    }
}
