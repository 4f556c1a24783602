import Testing
import WebSocketProtocol

/// The server's side of the negotiation (RFC 7692 §5, §7.1).
@Suite struct DeflateOfferTests {
    private static let dedicated = PerMessageDeflate(compress: .dedicated, decompress: .dedicated)
    private static let small = PerMessageDeflate(compress: .kilobytes8, decompress: .kilobytes16)

    private func answer(_ offers: String?, _ options: PerMessageDeflate = dedicated) throws -> String? {
        try options.accept(offers: offers)?.headerValue
    }

    @Test(arguments: [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"),
        ("permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"),
        ("permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"),
        ("permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8"),
        ("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        ("permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
        (
            "permessage-deflate;client_max_window_bits=12 ;\tserver_max_window_bits=\"11\"; client_no_context_takeover"
                + ";server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=11; "
                + "client_max_window_bits=12"
        ),
    ])
    func `dedicated contexts grant what is offered`(offer: String, expected: String) throws {
        #expect(try answer(offer) == expected)
    }

    @Test(arguments: [
        "permessage-deflate; unknown", "permessage-deflate; unknown=1", "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010", "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; server_max_window_bits=ten", "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=99999999999999999999",
        "permessage-deflate; client_no_context_takeover=1", "permessage-deflate; server_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
        "x-webkit-deflate-frame", "Permessage-Deflate", "", ",,",
    ])
    func `an offer with wrong parameters is declined, and another is taken in its place`(offer: String) throws {
        #expect(try answer(offer) == nil)
        let second = "permessage-deflate; server_no_context_takeover"
        #expect(try answer("\(offer), \(second)") == second)
        #expect(try answer("foo; bar=\"baz\",\(offer),, \(second) , permessage-deflate") == second)
    }

    @Test(arguments: [
        "permessage-deflate;", "permessage-deflate; =", "permessage-deflate; a=", "permessage-deflate; a=\"",
        "permessage-deflate; a=\"\"", "permessage-deflate; a=\"b c\"", "permessage-deflate; a=\"b\\",
        "permessage deflate", "permessage-deflate; a b", ";", "permessage-deflate; ü", "=", "a=b", "a;b=c=d",
    ])
    func `a header that breaks the grammar is a bad request`(offers: String) {
        #expect { try answer(offers) } throws: { ($0 as? HandshakeRefusal)?.status == 400 }
        #expect { try answer("permessage-deflate, \(offers)") } throws: { ($0 as? HandshakeRefusal)?.status == 400 }
    }

    @Test func `a quoted value is unescaped`() throws {
        #expect(
            try answer("permessage-deflate; server_max_window_bits=\"1\\0\"")
                == "permessage-deflate; server_max_window_bits=10")
    }

    @Test func `the first offer that can be kept is taken`() throws {
        let offers = "permessage-deflate; server_max_window_bits=10, permessage-deflate"
        #expect(try answer(offers) == "permessage-deflate; server_max_window_bits=10")
    }

    @Test func `no header, or no wish, is no extension`() throws {
        #expect(try answer(nil) == nil)
        #expect(try answer("permessage-deflate", false) == nil)
        #expect(try answer("permessage deflate", false) == nil)
    }

    @Test func `shared contexts take none over`() throws {
        let none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        #expect(try answer("permessage-deflate", true) == none)
        #expect(try answer("permessage-deflate; client_max_window_bits", true) == none)
        #expect(
            try answer("permessage-deflate; server_max_window_bits=9; client_max_window_bits=10", true)
                == none + "; server_max_window_bits=9; client_max_window_bits=10")
    }

    @Test func `directions are negotiated by themselves`() throws {
        #expect(
            try answer("permessage-deflate", .init(compress: .shared, decompress: .dedicated))
                == "permessage-deflate; server_no_context_takeover")
        #expect(
            try answer("permessage-deflate", .init(compress: .dedicated, decompress: .disable))
                == "permessage-deflate; client_no_context_takeover")
    }

    @Test func `sizes are asked for where they can be`() throws {
        #expect(
            try answer("permessage-deflate; client_max_window_bits", Self.small)
                == "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11")
        #expect(
            try answer("permessage-deflate; client_max_window_bits=9; server_max_window_bits=15", Self.small)
                == "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9")
        // This client cannot be asked for a window: without a context none is kept here.
        #expect(
            try answer("permessage-deflate", Self.small)
                == "permessage-deflate; client_no_context_takeover; server_max_window_bits=10")
    }

    @Test func `what was agreed on says what each side does`() throws {
        let parameters = try #require(
            try Self.dedicated.accept(
                offers: "permessage-deflate; server_no_context_takeover; server_max_window_bits=10"))
        let (server, client) = (parameters.outgoing(of: .server), parameters.incoming(of: .server))
        #expect(!server.keepsContext && server.windowBits == 10)
        #expect(client.keepsContext && client.windowBits == 15)
        #expect(parameters.incoming(of: .client) == server && parameters.outgoing(of: .client) == client)
    }

    @Test func `sizes are zlib's`() {
        let table: [(PerMessageDeflate.Context, Int, Int, kilobytes: Int)] = [
            (.kilobytes3, 9, 1, 3), (.kilobytes4, 9, 2, 4), (.kilobytes8, 10, 3, 8), (.kilobytes16, 11, 4, 16),
            (.kilobytes32, 12, 5, 32), (.kilobytes64, 13, 6, 64), (.kilobytes128, 14, 7, 128),
            (.kilobytes256, 15, 8, 256), (.dedicated, 15, 8, 256), (.shared, 15, 8, 256),
        ]
        for (context, windowBits, memoryLevel, kilobytes) in table {
            #expect(context.windowBits == windowBits && context.memoryLevel == memoryLevel)
            // zconf.h: (1 << (windowBits + 2)) + (1 << (memLevel + 9)).
            #expect((1 << (windowBits + 2)) + (1 << (memoryLevel + 9)) == kilobytes << 10)
        }
        #expect(PerMessageDeflate.Context.shared == true && PerMessageDeflate.Context.disable == false)
        #expect(PerMessageDeflate() == false && PerMessageDeflate(compress: true, decompress: true) == true)
    }
}
