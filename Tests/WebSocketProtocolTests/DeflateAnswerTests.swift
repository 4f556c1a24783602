import Testing
import WebSocketProtocol

/// The client's side of the negotiation (RFC 7692 §7.1).
@Suite struct DeflateAnswerTests {
    private static let dedicated = PerMessageDeflate(compress: .dedicated, decompress: .dedicated)
    private static let small = PerMessageDeflate(compress: .kilobytes8, decompress: .kilobytes16)

    @Test func `the offer says what its options want`() {
        #expect(Self.dedicated.offer == "permessage-deflate; client_max_window_bits")
        #expect(
            PerMessageDeflate(true).offer
                == "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits")
        #expect(Self.small.offer == "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10")
        #expect(PerMessageDeflate(false).offer == nil)
    }

    @Test(arguments: [
        "permessage-deflate", "permessage-deflate; client_max_window_bits=12",
        "permessage-deflate; server_max_window_bits=8; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; server_max_window_bits=15",
    ])
    func `an answer may lessen what was offered`(answer: String) throws {
        #expect(try Self.dedicated.confirm(answer: answer)?.headerValue == sorted(answer))
    }

    @Test(arguments: [
        "permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate, permessage-deflate", "permessage-deflate, foo", "foo", "x-webkit-deflate-frame",
        "permessage-deflate;", "perm essage",
    ])
    func `a wrong answer fails the connection`(answer: String) {
        #expect(throws: NegotiationFailure.self) { try Self.dedicated.confirm(answer: answer) }
    }

    @Test func `what was not asked for fails the connection`() {
        #expect(throws: NegotiationFailure.self) { try PerMessageDeflate(false).confirm(answer: "permessage-deflate") }
    }

    @Test func `what was asked for has to be granted`() throws {
        #expect(throws: NegotiationFailure.self) { try PerMessageDeflate(true).confirm(answer: "permessage-deflate") }
        for missing in [
            "permessage-deflate", "permessage-deflate; server_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=11",
        ] {
            #expect(throws: NegotiationFailure.self, "\(missing)") { try Self.small.confirm(answer: missing) }
        }
        let granted = try Self.small.confirm(answer: "permessage-deflate; server_max_window_bits=11")
        // A window that was offered is kept, also when the server does not insist.
        #expect(granted?.outgoing(of: .client).windowBits == 10)
        let shared = try PerMessageDeflate(true).confirm(answer: "permessage-deflate; server_no_context_takeover")
        #expect(shared?.outgoing(of: .client).keepsContext == false)
    }

    @Test func `no answer is no compression`() throws {
        #expect(try PerMessageDeflate(true).confirm(answer: nil) == nil)
        #expect(try PerMessageDeflate(false).confirm(answer: nil) == nil)
        #expect(try PerMessageDeflate(true).confirm(answer: "") == nil)
    }

    @Test(arguments: [
        PerMessageDeflate(true), PerMessageDeflate(compress: .dedicated, decompress: .shared),
        PerMessageDeflate(compress: .kilobytes3, decompress: .kilobytes64),
        PerMessageDeflate(compress: .disable, decompress: .dedicated),
    ])
    func `every offer and answer of this side agree`(client: PerMessageDeflate) throws {
        for server: PerMessageDeflate in [true, Self.dedicated, Self.small, .init(decompress: true)] {
            let answer = try #require(try server.accept(offers: client.offer))
            let confirmed = try #require(try client.confirm(answer: answer.headerValue))
            // The server can read what the client sends, and the other way.
            #expect(confirmed.outgoing(of: .client).windowBits <= answer.incoming(of: .server).windowBits)
            #expect(answer.outgoing(of: .server) == confirmed.incoming(of: .client))
            #expect(!confirmed.outgoing(of: .client).keepsContext || answer.incoming(of: .server).keepsContext)
        }
    }

    /// The parameters in the order in which they are written here.
    private func sorted(_ answer: String) -> String {
        let order = ["server_no", "client_no", "server_max", "client_max"]
        let parts = answer.split(separator: "; ").map(String.init)
        let parameters = order.flatMap { prefix in parts.filter { $0.hasPrefix(prefix) } }
        return (["permessage-deflate"] + parameters).joined(separator: "; ")
    }
}
