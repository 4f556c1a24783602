import ReactorTesting
import Ringcast

/// A blocking TLS connection to the server under test.
final class SecureClient: AnswerReading {
    let tls: TLSPeer
    private let connection: ReactorTesting.TCPClient
    private var unread: [UInt8] = []

    struct Failure: Error { let what: String }

    /// - Parameter protocols: what it offers by ALPN.
    init(port: Int, certificate: TLSCertificate? = nil, protocols: [String] = []) throws {
        connection = ReactorTesting.TCPClient(port: port)
        var options = TLSPeer.Options()
        options.protocols = protocols
        if let certificate, case .text(let chain) = certificate.chain, case .text(let key) = certificate.key {
            options.certificate = (chain, key)
        }
        tls = TLSPeer(options)
        try tls.receive([])
        while !tls.isSecured { try step() }
        connection.send(tls.takeOutput())
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        tls.send(bytes)
        guard connection.send(tls.takeOutput()) else { throw Failure(what: "the connection is broken") }
    }

    func upgrade() throws {
        try send(SocketClient.request())
        guard try readAnswer(hasBody: false).status == 101 else { throw Failure(what: "no 101") }
    }

    /// The payload of the next frame, which is whole and not masked.
    func receiveFrame() throws -> [UInt8] {
        let short = Int(try read(2)[1] & 0x7F)
        let length = try read(short == 127 ? 8 : short == 126 ? 2 : 0)
        return try read(length.isEmpty ? short : length.reduce(0) { $0 << 8 | Int($1) })
    }

    func readLine() throws -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeFirst(end + 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            try fill()
        }
    }

    func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count { try fill() }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    /// Whether the server says that nothing comes any more, with nothing left to read, before it closes the connection.
    func isAtEnd() throws -> Bool {
        while unread.isEmpty, !tls.hasSeenGoodbye { try fill() }
        return unread.isEmpty
    }

    private func fill() throws {
        if tls.received.isEmpty { try step() }
        unread += tls.takeReceived()
    }

    private func step() throws {
        let output = tls.takeOutput()
        if !output.isEmpty { connection.send(output) }
        guard let bytes = connection.receive(upTo: 65_536), !bytes.isEmpty else {
            throw Failure(what: "the server has closed the connection")
        }
        try tls.receive(bytes)
    }
}
