import Logging
import Reactor
import ReactorTesting
import WebSocketProtocol

@testable import Ringcast

/// A server of one loop or several over simulated connections and virtual time, turned by the test: an hour passes in a
/// moment, and always in the same way. What `TestServer` hides from users is at hand here.
///
/// There is no thread and no socket: what needs those is tested over real ones.
final class SimulatedServer {
    let server: Server
    private let group: SimulatedGroup
    var core: SocketCore { server.core }
    var loops: [SimulatedLoop] { group.loops }
    /// The first loop.
    var simulation: SimulatedLoop { loops[0] }

    convenience init(
        loops loopCount: Int = 1, drivers: [SimulatedDriver.Options] = [], room: MailboxRoom = MailboxRoom(),
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        fetch: @escaping @Sendable (borrowing Request) throws -> Reply
    ) {
        self.init(loops: loopCount, drivers: drivers, room: room, change, Application(fetch: fetch))
    }

    /// Serves routes, which have to make sense together.
    convenience init(_ routes: Routes, _ change: (inout ServerConfiguration) -> Void = { _ in }) throws(ServerError) {
        self.init(change, try Application(routes))
    }

    private init(
        loops loopCount: Int = 1, drivers: [SimulatedDriver.Options] = [], room: MailboxRoom = MailboxRoom(),
        _ change: (inout ServerConfiguration) -> Void, _ application: Application
    ) {
        var configuration = ServerConfiguration(port: 0)
        configuration.logger.logLevel = .critical
        change(&configuration)
        let tls = Self.tls(of: configuration)
        let options = drivers.isEmpty ? (0..<loopCount).map { _ in SimulatedDriver.Options() } : drivers
        var group: SimulatedGroup!
        do {
            server = try Server(configuration: configuration, loopCount: loopCount, application: application) {
                setup in
                group = SimulatedGroup(
                    drivers: options, room: room, tls: tls, discard: setup.discard, log: setup.log,
                    makeHandler: setup.makeHandler)
                return group.group
            }
        } catch {
            fatalError(error.description)
        }
        self.group = group
        TestEnd.current?.add(self) { $0.end() }
    }

    /// Stops the server, as users' `TestServer` does at its end: open sockets are closed with 1001, and their close
    /// handlers run.
    private func end() {
        stop(within: .zero, deadline: .seconds(1))
        for _ in 0..<100 where !group.hasEnded { group.advance(milliseconds: 100) }
        group.finish()
    }

    private static func tls(of configuration: ServerConfiguration) -> TLSServer? {
        do throws(ReactorError) {
            return try configuration.tls.map { tls throws(ReactorError) in try TLSServer(tls) }
        } catch {
            fatalError(error.description)
        }
    }

    /// Serves one kind of socket at every path.
    convenience init(
        _ handlers: WebSocketHandlers<Void>, loops loopCount: Int = 1,
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) {
        self.init(loops: loopCount, change, fetch: { _ in .upgrade(to: handlers) })
    }

    /// Milliseconds of the virtual clock.
    var now: UInt64 { simulation.clock.milliseconds }

    /// Lets time pass.
    func advance(_ duration: Duration) { group.advance(milliseconds: duration.milliseconds) }

    /// Handles all that has been sent, and what loops say to each other because of it.
    func rest() { group.rest() }

    /// A connection that has not said anything.
    func connect(on loop: Int = 0) -> SimulatedPeer {
        let peer = loops[loop].connect()
        rest()
        return peer
    }

    /// What a handshake without further fields is answered with.
    private static let handshakeLength = 129

    /// A connection that has been upgraded.
    /// - Parameter window: bytes behind the handshake that its socket takes before it is full.
    func open(on loop: Int = 0, path: String = "/", window: Int = .max) -> SimulatedSocket {
        let peer = connect(on: loop)
        if window != .max { peer.window = Self.handshakeLength + window }
        peer.send(Array(SocketClient.request(path: path).utf8))
        rest()
        let socket = SimulatedSocket(peer, of: self)
        socket.skipHandshake()
        return socket
    }

    /// The server is told to stop, as each of its loops is.
    func stop(_ code: CloseCode = .goingAway, within window: Duration, deadline: Duration) {
        server.stop(code, within: window, deadline: deadline)
        rest()
    }
}

/// A client's end of a simulated WebSocket.
final class SimulatedSocket {
    let peer: SimulatedPeer
    private unowned let server: SimulatedServer
    private var unread: [UInt8] = []

    init(_ peer: SimulatedPeer, of server: SimulatedServer) {
        self.peer = peer
        self.server = server
    }

    func skipHandshake() {
        unread += peer.takeReceivedBytes()
        let end = Array("\r\n\r\n".utf8)
        let start = unread.indices.first { unread[$0...].starts(with: end) }
        precondition(start != nil && unread.starts(with: Array("HTTP/1.1 101".utf8)), "no handshake")
        unread.removeFirst(start! + end.count)
    }

    func send(_ opcode: Opcode, _ payload: [UInt8] = []) {
        peer.send(SocketClient.encode(opcode, payload))
        server.rest()
    }

    func send(_ text: String) { send(.text, Array(text.utf8)) }

    /// The whole frames that have come since the last call.
    func frames() -> [SocketClient.Frame] {
        unread += peer.takeReceivedBytes()
        return SocketClient.Frame.takeWhole(from: &unread)
    }

    /// How many frames of each kind have come since the last call.
    func count(_ opcode: Opcode) -> Int { frames().count { $0.opcode == opcode } }
}

extension SocketClient.Frame {
    /// Takes the whole frames of a server, which are not masked, from the beginning of what has come.
    static func takeWhole(from unread: inout [UInt8]) -> [Self] {
        var frames: [Self] = []
        var start = 0
        while unread.count >= start + 2 {
            var length = Int(unread[start + 1])
            let extra = length < 126 ? 0 : length == 126 ? 2 : 8
            let body = start + 2 + extra
            guard unread.count >= body else { break }
            if extra > 0 { length = unread[(start + 2)..<body].reduce(0) { $0 << 8 | Int($1) } }
            guard unread.count >= body + length else { break }
            frames.append(
                Self(
                    opcode: Opcode(rawValue: unread[start] & 0x0F)!, payload: Array(unread[body..<(body + length)]),
                    isFinal: unread[start] & 0x80 != 0))
            start = body + length
        }
        unread.removeFirst(start)
        return frames
    }
}
