import HTTPProtocol
import Reactor
public import Ringcast
public import WebSocketProtocol

/// A WebSocket client of a `TestServer`: what `TestServer.connect` gives.
///
/// It behaves as a browser does: it answers pings and the server's Close frame, and ends its side when the server has.
/// `answersPings`, `answersClose` and the faults of `TestConnection` are for clients that do not. Used by the task that
/// uses the server.
public final class TestClient: TestConnection {
    /// Whether pings are answered by pongs.
    public var answersPings = true
    /// Whether the server's Close frame is answered by one of the same code.
    public var answersClose = true
    let handshake: ClientHandshake
    var answer = AnswerReader()
    var agreement: HandshakeAgreement?
    var fault: String?
    var frames = FrameReader()
    var compression: TestCompression?
    var phase = Phase.connecting
    var closing: (code: CloseCode, reason: String)?
    var violation: ProtocolViolation?
    var messages: [OwnedMessage] = []
    var receivedPings: [[UInt8]] = []
    var receivedPongs: [[UInt8]] = []
    var frameCount: UInt32 = 0

    enum Phase { case connecting, open, closing, closed }

    init(_ network: TestNetwork, loop: Int, address: SocketAddress?, handshake: ClientHandshake) {
        self.handshake = handshake
        super.init(network, loop: loop, address: address)
    }

    // MARK: what is known of it

    /// Whether messages can be sent: the handshake is done, no Close was sent or has come, and the connection is there.
    public var isOpen: Bool { rested { phase == .open } }

    /// The server's answer to the handshake: 101, or the refusal; nil until it is there.
    public var response: TestResponse? { rested { answer.response } }

    /// The subprotocol that the server chose; nil if it chose none.
    public var subprotocol: String? { rested { agreement?.subprotocol } }

    /// Whether permessage-deflate was agreed on.
    public var isCompressed: Bool { rested { compression != nil } }

    /// All messages that have come, in order, those that `takeReceived` has taken left out.
    public var received: [OwnedMessage] { rested { messages } }

    /// The messages that have come, which are forgotten here.
    public func takeReceived() -> [OwnedMessage] {
        rested {
            defer { messages = [] }
            return messages
        }
    }

    /// The payloads of all pings that have come, those of the server's liveness check (empty ones) among them.
    public var pings: [[UInt8]] { rested { receivedPings } }

    /// The payloads of all pongs that have come.
    public var pongs: [[UInt8]] { rested { receivedPongs } }

    /// How the socket was closed: the code of the server's Close frame, 1005 if that had none, 1006 if the connection
    /// ended without one; nil before.
    public var closeCode: CloseCode? { rested { closing?.code } }

    /// The reason in the server's Close frame; empty where there is none.
    public var closeReason: String { rested { closing?.reason ?? "" } }

    /// What the server has done against the rules of RFC 6455, for which the client has cut the connection. Nil, unless
    /// the server is at fault.
    public var protocolViolation: ProtocolViolation? { rested { violation } }

    override func received(_ bytes: [UInt8]) { take(bytes) }

    override func connectionEnded() { lost() }

    func rested<Value>(_ body: () -> Value) -> Value {
        network.rest()
        return body()
    }

    // MARK: what it does

    /// Sends a text message. Returns false, and sends nothing, unless the socket is open.
    @discardableResult
    public func send(_ text: String) -> Bool { send(.text(text)) }

    /// Sends a binary message. Returns false, and sends nothing, unless the socket is open.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool { send(.binary(bytes)) }

    /// Sends a message as the kind it is, compressed if that was agreed on. Returns false, and sends nothing, unless
    /// the socket is open.
    @discardableResult
    public func send(_ message: OwnedMessage) -> Bool {
        guard isOpen else { return false }
        let opcode: Opcode = message.isText ? .text : .binary
        if !message.bytes.isEmpty, let deflated = compression?.deflate(message.bytes) {
            write(opcode, deflated, isCompressed: true)
        } else {
            write(opcode, message.bytes)
        }
        network.rest()
        return true
    }

    /// Sends a ping. Its payload is cut to 125 bytes. Without effect unless the socket is open.
    public func ping(_ payload: [UInt8] = []) { control(.ping, payload) }

    /// Sends a pong that nobody asked for. Its payload is cut to 125 bytes. Without effect unless the socket is open.
    public func pong(_ payload: [UInt8] = []) { control(.pong, payload) }

    /// Sends a Close frame, upon which the server answers it and ends the connection. Without effect unless the socket
    /// is open.
    /// - Parameters:
    ///   - code: any code, also one that no frame may carry; nil sends a frame without code and reason.
    ///   - reason: cut to 123 bytes.
    public func close(_ code: CloseCode? = .normalClosure, reason: String = "") {
        guard isOpen else { return }
        write(.close, Self.closePayload(code, reason))
        phase = .closing
        network.rest()
    }

    private func control(_ opcode: Opcode, _ payload: [UInt8]) {
        guard isOpen else { return }
        write(opcode, Array(payload.prefix(125)))
        network.rest()
    }

    static func closePayload(_ code: CloseCode?, _ reason: String) -> [UInt8] {
        guard let code else { return [] }
        return [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)] + Array(reason.utf8.prefix(123))
    }

    func write(_ opcode: Opcode, _ payload: [UInt8], isCompressed: Bool = false) {
        // Any key will do, and the same keys in every run.
        frameCount &+= 0x9E37_79B9
        let key = MaskingKey(rawValue: frameCount)
        let header = FrameHeader(
            opcode: opcode, isCompressed: isCompressed, payloadLength: payload.count, mask: key)
        var bytes = [UInt8](repeating: 0, count: header.encodedLength) + payload
        var memory = bytes.mutableSpan
        var frame = unsafe memory.mutableBytes
        header.write(into: &frame)
        unmask(&frame, in: header.encodedLength..<frame.byteCount, key: key)
        transmit(bytes)
    }
}
