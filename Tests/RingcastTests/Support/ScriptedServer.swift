import Glibc
import ReactorTesting
import SystemCalls
import WebSocketProtocol

@testable import Ringcast

/// A server that does exactly what a test says, right or wrong: one thread, which plays the connections one after the
/// other.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    private let script: @Sendable (ScriptedPeer) throws -> Void

    /// - Parameter script: called for each connection, which is closed when it returns or throws.
    init(_ script: @escaping @Sendable (ScriptedPeer) throws -> Void) {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(unsafe bind(descriptor, address, length) == 0, "bind: errno \(errno)")
                precondition(listen(descriptor, 16) == 0, "listen: errno \(errno)")
                precondition(unsafe getsockname(descriptor, address, &length) == 0, "getsockname: errno \(errno)")
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    var url: String { "ws://127.0.0.1:\(port)/" }

    /// Serves while `body` runs.
    func run(_ body: () throws -> Void) rethrows {
        let thread = start()
        defer { stop(thread) }
        try body()
    }

    func run(_ body: () async throws -> Void) async rethrows {
        let thread = start()
        defer { stop(thread) }
        try await body()
    }

    private func start() -> RepeatingThread {
        RepeatingThread { [listener, script] in
            let connection = uninterrupted { accept(listener, nil, nil) }
            guard connection >= 0 else { return }
            let peer = ScriptedPeer(connection)
            do { try script(peer) } catch {}
        }
    }

    private func stop(_ thread: RepeatingThread) {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.stop()
        close(listener)
    }
}

/// One connection of a scripted server. Every call gives up after 60 s, which are there for hanging only.
final class ScriptedPeer {
    private let descriptor: Int32
    private var unread: [UInt8] = []

    struct Ended: Error {}
    struct TimedOut: Error {}

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var time = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var left = bytes[...]
        while !left.isEmpty {
            let count = unsafe left.withUnsafeBytes { left in
                uninterrupted { unsafe Glibc.send(descriptor, left.baseAddress, left.count, Int32(MSG_NOSIGNAL)) }
            }
            guard count > 0 else { throw Ended() }
            left = left.dropFirst(count)
        }
    }

    func send(_ text: String) throws { try send([UInt8](text.utf8)) }

    func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count { try receive() }
        defer { unread.removeFirst(count) }
        return [UInt8](unread.prefix(count))
    }

    private func receive() throws {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let received = uninterrupted { unsafe recv(descriptor, &buffer, buffer.count, 0) }
        guard received >= 0 || errno != EAGAIN else { throw TimedOut() }
        guard received > 0 else { throw Ended() }
        unread += buffer.prefix(received)
    }

    /// Returns once the client has ended its side; what it still sends is thrown away.
    func readToEnd() throws {
        do {
            while true {
                unread = []
                try receive()
            }
        } catch is Ended {}
    }

    /// The head of a request, as text.
    func readHead() throws -> String {
        var head: [UInt8] = []
        while !head.ends(with: [13, 10, 13, 10]) { head += try read(1) }
        return String(decoding: head, as: UTF8.self)
    }

    /// Answers a handshake as it should be.
    @discardableResult
    func upgrade(fields: [String] = []) throws -> String {
        let head = try readHead()
        try send(Self.answer(to: head, fields: fields))
        return head
    }

    static func answer(to head: String, fields: [String] = []) -> String {
        let key = value(of: "sec-websocket-key", in: head) ?? ""
        let lines = [
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: \(Handshake.acceptValue(forKey: key))",
        ]
        return (lines + fields).map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// The value of a field, by its name in lower case.
    static func value(of name: String, in head: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return nil
    }

    /// A client's frame, which has to be masked: its first byte, its key and its payload.
    func readFrame() throws -> (first: UInt8, key: [UInt8], payload: [UInt8]) {
        let head = try read(2)
        precondition(head[1] & 0x80 != 0, "a client's frame that is not masked")
        var length = Int(head[1] & 0x7F)
        if length >= 126 { length = try read(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
        let key = try read(4)
        return (head[0], key, SocketClient.masked(try read(length), by: key))
    }

    /// An unmasked frame.
    func sendFrame(_ first: UInt8, _ payload: [UInt8] = []) throws {
        precondition(payload.count < 65_536)
        let length =
            payload.count < 126
            ? [UInt8(payload.count)] : [126, UInt8(payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
        try send([first] + length + payload)
    }
}

extension [UInt8] {
    fileprivate func ends(with suffix: [UInt8]) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }
}
