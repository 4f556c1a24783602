import Ringcast

/// A connection to NATS up to where it is open, and what comes on it from then on: the server speaks first (INFO), then
/// the client (CONNECT), and a PING that is answered shows that it was let in.
struct NATSSession {
    /// What has come. Its bytes are lent for the call alone.
    @safe enum Event {
        /// The server expects these bytes next.
        case answer([UInt8])
        case startTLS
        /// It has let the client in, and has said of itself what it is.
        case open(NATSInfo?)
        /// It has come to a PING of the client's.
        case pong
        case message(Message)
    }

    @safe struct Message {
        let subject: UnsafeRawBufferPointer
        /// Empty, or from `NATS/1.0` to the blank line.
        let headers: UnsafeRawBufferPointer
        let payload: UnsafeRawBufferPointer
    }

    private enum Stage { case silent, securing, greeting, open }

    private let language: NATSLanguage
    private var reader = NATSReader()
    private var stage = Stage.silent
    /// What the server has said of itself at first.
    private var server: NATSInfo?

    init(_ language: NATSLanguage) { self.language = language }

    mutating func greeting() -> [UInt8] { stage == .securing ? connect() : [] }

    /// CONNECT, and a PING whose answer says that the server agrees.
    private mutating func connect() -> [UInt8] {
        stage = .greeting
        return "CONNECT ".utf8 + JSON.bytes(NATSConnect(user: language.user, pass: language.password))
            + "\r\nPING\r\n".utf8
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) { unsafe reader.feed(bytes) }

    /// Hands on what comes next; false until more has come.
    mutating func next(_ body: (Event) throws(EngineFailure) -> Void) throws(EngineFailure) -> Bool {
        guard stage != .securing else {
            guard reader.isEmpty else { throw Self.earlyBytes }
            return false
        }
        guard let element = try reader.next() else { return false }
        if let payload = element.payload {
            guard stage == .open else { throw Self.earlyBytes }
            try unsafe reader.withBytes { bytes throws(EngineFailure) in
                let line = unsafe UnsafeRawBufferPointer(rebasing: bytes[element.rest])
                let end = unsafe line.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? line.count
                try body(
                    unsafe .message(
                        Message(
                            subject: UnsafeRawBufferPointer(rebasing: line[..<end]),
                            headers: UnsafeRawBufferPointer(rebasing: bytes[element.headers ?? 0..<0]),
                            payload: UnsafeRawBufferPointer(rebasing: bytes[payload]))))
            }
        } else if let event = try event(of: element) {
            try body(event)
        }
        return true
    }

    /// What comes before TLS may be anybody's, and must not be taken for the server's behind it.
    private static let earlyBytes = EngineFailure(reason: "NATS has said more than INFO before this client was let in")

    private mutating func event(of element: NATSReader.Element) throws(EngineFailure) -> Event? {
        switch element.verb {
        case "INFO": return try introduced(element)
        case "PING": return .answer(Array("PONG\r\n".utf8))
        case "PONG":
            guard stage == .greeting else { return .pong }
            stage = .open
            return .open(server)
        case "-ERR":
            throw EngineFailure(reason: "NATS says \(text(of: element))")
        case "+OK": return nil
        default: throw EngineFailure(reason: "what has come is not the protocol of NATS")
        }
    }

    /// The server has said what it is: at first, and when its cluster changes.
    private mutating func introduced(_ element: NATSReader.Element) throws(EngineFailure) -> Event? {
        guard let info = JSON.value(NATSInfo.self, of: Array(text(of: element).utf8)) else {
            throw EngineFailure(reason: "what has come is not the protocol of NATS")
        }
        if let limit = info.payloadLimit { language.noteLimit(limit) }
        guard stage == .silent else { return nil }
        server = info
        if language.isSecure {
            stage = .securing
            return .startTLS
        }
        guard info.isSecure != true else {
            throw EngineFailure(reason: "NATS wants TLS: the cluster's URL has to begin with tls://")
        }
        return .answer(connect())
    }

    private func text(of element: NATSReader.Element) -> String {
        unsafe reader.withBytes { unsafe String(decoding: $0[element.rest], as: UTF8.self) }
    }
}
