import Ringcast
import Testing

/// `X-Forwarded-For` is what a trusted proxy says, and whatever stands before that is what a client says.
@Suite struct ClientAddressTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let trusted: [AddressRange]
        let fields: [String]
        let expected: String
        var testDescription: String { "\(fields) \(expected)" }

        init(_ trusted: [AddressRange], _ fields: [String], _ expected: String) {
            (self.trusted, self.fields, self.expected) = (trusted, fields, expected)
        }
    }

    static let rows: [Row] = [
        Row([], ["203.0.113.7"], "127.0.0.1"),
        Row(["10.0.0.0/8"], ["203.0.113.7"], "127.0.0.1"),
        Row(["127.0.0.0/8"], [], "127.0.0.1"),
        Row(["127.0.0.0/8"], ["203.0.113.7"], "203.0.113.7"),
        Row(["127.0.0.0/8"], ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        Row(["127.0.0.0/8", "10.0.0.0/8"], ["198.51.100.1, 203.0.113.7,10.1.2.3 , 10.9.9.9"], "203.0.113.7"),
        Row(["127.0.0.0/8", "10.0.0.0/8"], ["203.0.113.7", "10.1.2.3"], "203.0.113.7"),
        Row(["127.0.0.0/8", "10.0.0.0/8"], ["10.1.2.3, 10.9.9.9"], "10.1.2.3"),
        Row(["127.0.0.0/8", "10.0.0.0/8"], ["203.0.113.7, unknown, 10.9.9.9"], "10.9.9.9"),
        Row(["127.0.0.0/8"], ["nonsense"], "127.0.0.1"),
        Row(["127.0.0.0/8"], ["203.0.113.7,"], "127.0.0.1"),
        Row(["127.0.0.0/8"], ["2001:db8::7"], "2001:db8::7"),
        Row(["127.0.0.0/8"], ["[2001:db8::7]:443"], "2001:db8::7:443"),
        Row(["127.0.0.0/8"], ["203.0.113.7:8080"], "203.0.113.7:8080"),
        Row(["127.0.0.0/8"], ["[2001:db8::7]x"], "127.0.0.1"),
        Row(["127.0.0.0/8"], ["203.0.113.7:99999"], "127.0.0.1"),
    ]

    @Test(arguments: rows)
    func `who asks is told by proxies that are trusted`(_ row: Row) async throws {
        @Sendable func text(_ address: SocketAddress?, hasPort: Bool) -> String {
            guard let address else { return "-" }
            let text = address.ipAddress ?? address.description
            return address.port == 0 || !hasPort ? text : "\(text):\(address.port)"
        }
        try await serving(
            { $0.trustedProxies = row.trusted },
            fetch: { request in
                let isPeer = request.clientAddress == request.remoteAddress
                let copy = request.copy()
                let addresses = (copy.request.clientAddress, request.clientAddress)
                #expect(addresses.0 == addresses.1)
                return .response(.ok, text(request.clientAddress, hasPort: !isPeer))
            }
        ) { server in
            let client = try TCPClient(port: server.port)
            let fields = row.fields.map { "X-Forwarded-For: \($0)\r\n" }.joined()
            try client.send("GET / HTTP/1.1\r\nHost: t\r\n\(fields)\r\n")
            #expect(try client.readAnswer().text == row.expected)
        }
    }
}
