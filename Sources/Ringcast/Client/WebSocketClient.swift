// Ringcast/Client: how a connection to a server comes to be, and a WebSocket for tasks. What a socket does once it is
// open is in `Session/`: it is that of servers, with the trait `masks`.
//
// Handlers: `ClientGroup.connect` takes a `ClientRequest` (`WebSocketURL`, `HTTPProxy`) to a loop, where a
// `ConnectionAttempt` goes from addresses (`+Connect`) over proxy and TLS (`+Proxy`) to the answer (`+Answer`). Tasks:
// `WebSocketClient` shares a `ClientChannel` with the handlers of such a socket; `WebSocketClient+Reconnect` repeats.

public import HTTPTypes
public import Reactor
import Synchronization
public import WebSocketProtocol

/// A WebSocket as a task uses it: connect, read messages, send messages.
///
///     let socket = try await WebSocketClient.connect("ws://localhost:3000/chat")
///     try await socket.send("hello")
///     for try await message in socket.messages { print(message.string) }
///
/// Every member may be used from any task. The socket lives on a loop of a `ClientGroup`; where thousands of them have
/// much to do, that group's handlers cost less: here a message costs a lock, a copy and a post to the loop, and waiting
/// costs a change of threads. Letting go of the last reference closes the socket with 1001.
public final class WebSocketClient: Sendable {
    let channel: ClientChannel
    /// Kept, since a group ends with its last reference, and its sockets with it.
    private let group: ClientGroup

    private init(_ channel: ClientChannel, _ group: ClientGroup) {
        self.channel = channel
        self.group = group
    }

    deinit { channel.beginClosing(.goingAway, reason: "") }

    /// Connects, and returns when the server has accepted. A cancellation gives the attempt up.
    /// - Parameters:
    ///   - request: which server, and how.
    ///   - options: limits and timeouts of the socket. `maxWaitingMessages` are read ahead.
    ///   - group: whose loops to use. By default all clients share one loop.
    /// - Throws: why there is no socket.
    public static func connect(
        _ request: ClientRequest, options: WebSocketOptions = WebSocketOptions(), group: ClientGroup? = nil
    ) async throws(WebSocketClientError) -> WebSocketClient {
        try await connect(request, over: ClientChannel(options), options, group)
    }

    /// Connects over a channel that is made already, so that a test sees what becomes of it.
    static func connect(
        _ request: ClientRequest, over channel: ClientChannel, _ options: WebSocketOptions, _ group: ClientGroup?
    ) async throws(WebSocketClientError) -> WebSocketClient {
        if let objection = options.objection { throw .invalidRequest(objection) }
        let group = if let group { group } else { try ClientGroup.shared.get() }
        let handlers = ClientChannel.handlers(options)
        let error = await channel.open { failed in
            group.connect(request, handlers: handlers, with: channel, failed: failed)
        }
        if let error { throw error }
        return WebSocketClient(channel, group)
    }

    /// Connects to a URL (`ws://`, `wss://` or `ws+unix:`), as with a `ClientRequest`.
    public static func connect(
        _ url: String, options: WebSocketOptions = WebSocketOptions(), group: ClientGroup? = nil
    ) async throws(WebSocketClientError) -> WebSocketClient {
        try await connect(try ClientRequest(url), options: options, group: group)
    }

    /// Sends a text message: it is handed over, and leaves at the end of the loop's turn. Waits while the peer is
    /// behind, and so bounds what is under way; a cancellation meanwhile leaves the message unsent.
    /// - Parameters:
    ///   - text: the message.
    ///   - compress: whether to deflate it, where that was agreed on; by default if it has 1 KiB or more.
    /// - Throws: `.closed`, or `.cancelled`.
    public func send(_ text: String, compress: Bool? = nil) async throws(WebSocketClientError) {
        try await channel.send(.text(text), compress: compress)
    }

    /// Sends a binary message, as `send` does a text.
    public func send(_ bytes: [UInt8], compress: Bool? = nil) async throws(WebSocketClientError) {
        try await channel.send(.binary(bytes), compress: compress)
    }

    /// Sends a message as the kind it is, as `send` does a text.
    public func send(_ message: OwnedMessage, compress: Bool? = nil) async throws(WebSocketClientError) {
        try await channel.send(message, compress: compress)
    }

    /// Sends a ping and waits for its pong. A pong that answers a later ping counts, too.
    /// - Parameter payload: what the ping carries, and the pong brings back; cut to 125 bytes. Empty: a number.
    /// - Returns: how long that took.
    /// - Throws: `.closed`, or `.cancelled`.
    @discardableResult
    public func ping(_ payload: [UInt8] = []) async throws(WebSocketClientError) -> Duration {
        let start = ContinuousClock.now
        try await channel.ping(payload)
        return ContinuousClock.now - start
    }

    /// Sends a pong that nobody asked for, behind what was sent before: a sign of life. Pings are answered without it.
    /// It does not wait; where the server takes nothing, the pong is dropped.
    /// - Parameter payload: cut to 125 bytes.
    /// - Throws: `.closed`.
    public func pong(_ payload: [UInt8] = []) throws(WebSocketClientError) { try channel.pong(payload) }

    /// Closes the socket: what was sent before goes out first. Returns when the server has answered and ended the
    /// connection, or after `closeTimeout` for each of the two; then the program may end. A cancellation cuts the
    /// connection.
    /// - Parameters:
    ///   - code: 1000–1003, 1007–1014 or 3000–4999. 1005 sends a Close without a code; 1006 and 1015 end the connection
    ///     without a Close, as `terminate` does; any other sends 1000 and is logged.
    ///   - reason: cut to 123 bytes at the end of a character.
    public func close(_ code: CloseCode = .normalClosure, reason: String = "") async {
        await channel.close(code, reason: reason)
    }

    /// Ends the connection now, without a Close frame.
    public func terminate() { channel.state.withLock { $0.reference }?.terminate() }

    /// Where the socket is in its life: `.closing` from `close`, or the server's Close, on, `.closed` once the
    /// connection is over.
    public var readyState: ReadyState {
        channel.state.withLock { $0.ending != nil ? .closed : $0.closesItself || $0.isEnding ? .closing : .open }
    }

    /// The other end of the connection, which is the proxy if there is one. It stays when the socket is closed.
    public var remoteAddress: SocketAddress? { channel.state.withLock { $0.remoteAddress } }

    /// The fields of the server's answer to the handshake, such as cookies (`responseHeaders[.setCookie]`).
    public var responseHeaders: HTTPFields { channel.state.withLock { $0.responseHeaders } }

    /// The subprotocol that the server has chosen, if any.
    public var subprotocol: String? { channel.state.withLock { $0.subprotocol } }

    /// How the socket was closed; nil until the connection is over. The code of the peer's Close frame, 1005 if it
    /// carried none, 1006 if no Close came; where this side has ended the socket by a rule (1001 for silence, 1002,
    /// 1007, 1009, …), the code that it sent.
    public var closeCode: CloseCode? { channel.state.withLock { $0.ending?.code } }

    /// What the peer's Close frame said, or why there was none; nil until the connection is over.
    public var closeReason: String? { channel.state.withLock { $0.ending?.reason } }

    /// The messages as they come. Several readers share them: each message goes to one.
    public var messages: Messages { Messages(client: self) }

    /// The messages of a socket. Ends when it is closed as it should be (1000, 1001, 1005, or from this side); any
    /// other end is thrown as `.closed`. Messages that came before are read first. The end comes when the connection is
    /// over, so that this side's Close has left, or `closeTimeout` behind the server's Close: then the program may end.
    public struct Messages: AsyncSequence, Sendable {
        /// A message, whose bytes belong to the reader.
        public typealias Element = OwnedMessage
        /// An end that is not as it should be, or a cancellation.
        public typealias Failure = WebSocketClientError

        let client: WebSocketClient

        /// A reader, which shares the messages with all others.
        public func makeAsyncIterator() -> Iterator { Iterator(client: client) }

        /// Reads one message after the other.
        public struct Iterator: AsyncIteratorProtocol, Sendable {
            let client: WebSocketClient

            /// The next message, for which it waits; nil when the socket was closed as it should be.
            /// - Throws: `.closed` at any other end, `.cancelled` when the task is.
            public func next() async throws(WebSocketClientError) -> OwnedMessage? { try await client.channel.read() }

            /// The next message, as by `next()`.
            public func next(
                isolation actor: isolated (any Actor)?
            ) async throws(WebSocketClientError) -> OwnedMessage? {
                try await client.channel.read()
            }
        }
    }
}

extension ClientGroup {
    /// The one loop of all clients that were given no group, made when the first of them connects.
    static let shared = Result { () throws(WebSocketClientError) in try ClientGroup() }
}
