import HTTP2Protocol
import HTTP2Testing
import HTTPProtocol
import Testing

/// RFC 9113 §8: what comes of a request's frames.
@Suite struct RequestTests {
    @Test func `a request is told in the form of HTTP/1.1, which its parser takes`() throws {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.get + [("accept", "*/*"), ("cookie", "a=1"), ("cookie", "b=2")]))
        let text = "GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\ncookie: a=1\r\ncookie: b=2\r\n\r\n"
        #expect(server.happenings == [.request(text, 1, hasBody: false)])
        var parser = RequestHeadParser()
        let bytes = server.heads[0].bytes
        guard case .complete(let layout) = parser.parse(unsafe bytes.span.bytes) else {
            Issue.record("refused")
            return
        }
        #expect(layout.byteCount == bytes.count)
        #expect(RequestHead(bytes: unsafe bytes.span.bytes, layout: layout).cookie("b") == "2")
        #expect(server.heads[0].scheme == "https")
    }

    @Test func `a body comes in pieces, and its end is told apart`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post, hasBody: true) + Frames.data(1, "hel"))
        server.receive(Frames.data(1, "lo", isLast: true))
        let text = "POST /x?y=1 HTTP/1.1\r\nhost: a.example\r\n\r\n"
        #expect(server.happenings == [.request(text, 1, hasBody: true), .data([UInt8]("hello".utf8), 1), .end(1)])
    }

    @Test func `trailers end a body, and are thrown away`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post, hasBody: true) + Frames.data(1, "x"))
        server.receive(Frames.request(1, [("checksum", "1")]))
        #expect(server.happenings.suffix(2) == [.data([UInt8]("x".utf8), 1), .end(1)])
    }

    /// RFC 9113 §8.1.1, §8.2, §8.3: a stream error, and the connection goes on.
    @Test(
        arguments: [
            ("an upper-case name", Frames.get + [("Accept", "*/*")]),
            ("a line break in a value", Frames.get + [("a", "b\r\nc: d")]),
            ("a line break in the path", Frames.get.dropLast() + [(":path", "/ HTTP/1.1\r\na: b")]),
            ("a space in the path", Frames.get.dropLast() + [(":path", "/a b")]),
            ("a path of another form", Frames.get.dropLast() + [(":path", "http://b.example/")]),
            ("no path", Frames.get.dropLast() + []),
            ("two paths", Frames.get + [(":path", "/z")]),
            ("a space in the method", [(":method", "GET /")] + Frames.get.dropFirst()),
            ("a line break in the host", Frames.get + [("host", "a\r\nb: c")]),
            ("two hosts that differ", Frames.get + [("host", "b.example")]),
            ("a pseudo-field behind a field", [("a", "b")] + Frames.get),
            ("an unknown pseudo-field", Frames.get + [(":status", "200")]),
            ("another scheme", [(":method", "GET"), (":scheme", "ftp"), (":authority", "a"), (":path", "/")]),
            ("Connection", Frames.get + [("connection", "keep-alive")]),
            ("Upgrade", Frames.get + [("upgrade", "websocket")]),
            ("Transfer-Encoding", Frames.post + [("transfer-encoding", "chunked")]),
            ("TE", Frames.get + [("te", "gzip")]),
            ("a length without a body", Frames.get + [("content-length", "5")]),
            (":protocol without CONNECT", Frames.get + [(":protocol", "websocket")]),
        ] as [(String, [(String, String)])])
    func `what is malformed resets its stream alone`(_ what: String, _ fields: [(String, String)]) {
        let server = Server.greeted()
        server.receive(Frames.request(1, fields))
        #expect(server.happenings == [], "\(what)")
        let resets = server.takeSent().of(.reset)
        #expect(resets.map(\.stream) == [1] && resets.first?.code == .protocolError, "\(what)")
        server.receive(Frames.request(3))
        #expect(server.happenings.count == 1 && server.connection.failure == nil)
    }

    @Test func `a host that is named twice is one line`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.get + [("host", "A.example")]))
        #expect(server.happenings == [.request("GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\n\r\n", 1, hasBody: false)])
    }

    @Test func `a body that is not so long as its length resets its stream`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.post + [("content-length", "2")], hasBody: true))
        server.receive(Frames.data(1, "abc", isLast: true))
        #expect(server.takeSent().of(.reset).first?.code == .protocolError)
        #expect(server.happenings.last == .closed(1, .protocolError))
    }

    @Test func `an extended CONNECT for a WebSocket is a GET that asks for an upgrade`() throws {
        let server = Server.greeted()
        server.receive(Frames.request(1, Frames.webSocket + [("sec-websocket-version", "13")], hasBody: true))
        let text =
            "GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            + "sec-websocket-version: 13\r\n\r\n"
        #expect(server.happenings == [.request(text, 1, hasBody: true)])
        #expect(server.heads.first?.connectProtocol == "websocket")
        server.receive(Frames.data(1, "frame"))
        #expect(server.happenings.last == .data([UInt8]("frame".utf8), 1))
    }

    @Test func `an extended CONNECT for something else keeps its method`() {
        let server = Server.greeted()
        let fields = [(":method", "CONNECT"), (":protocol", "connect-udp")] + Frames.get.dropFirst()
        server.receive(Frames.request(1, fields, hasBody: true))
        #expect(server.heads.first?.connectProtocol == "connect-udp")
        #expect(String(decoding: server.heads[0].bytes.prefix(8), as: UTF8.self) == "CONNECT ")
    }

    @Test func `a server that offers no WebSockets is asked for none`() {
        let server = Server.greeted(HTTP2Limits(offersWebSocket: false))
        server.receive(Frames.request(1, Frames.webSocket, hasBody: true))
        #expect(server.happenings == [])
        #expect(server.takeSent().of(.reset).first?.code == .protocolError)
    }

    @Test func `a plain CONNECT is left to the parser of heads, which refuses it`() {
        let server = Server.greeted()
        server.receive(Frames.request(1, [(":method", "CONNECT"), (":authority", "b.example:443")], hasBody: true))
        var parser = RequestHeadParser()
        let bytes = server.heads[0].bytes
        guard case .refused(let refusal) = parser.parse(unsafe bytes.span.bytes) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.reason == "this server is not a proxy")
    }

    /// The bytes of a connection with all kinds of frames: whatever its pieces, the same happens.
    @Test func `what happens does not depend on how the bytes are split`() {
        let block = Frames.block(Frames.post + [("content-length", "6")])
        let padded = [3] + [UInt8]("def".utf8) + [0, 0, 0]
        let bytes: [UInt8] =
            Frames.hello
            + Frames.frame(.headers, stream: 1, Array(block.prefix(20)))
            + Frames.frame(.continuation, flags: 0x4, stream: 1, Array(block.dropFirst(20)))
            + Frames.data(1, "abc") + Frames.frame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])
            + Frames.frame(.data, flags: 0x1 | 0x8, stream: 1, padded)
            + Frames.request(3, Frames.webSocket, hasBody: true) + Frames.data(3, "frame")
            + Frames.frame(.unknown, [1, 2, 3]) + Frames.windowUpdate(0, 10)
            + Frames.request(5, Frames.get + [("Bad", "name")]) + Frames.frame(.reset, stream: 3, Frames.word(8))
            + Frames.frame(.goAway, Frames.word(0) + Frames.word(2))
        let whole = Server()
        whole.receive(bytes)
        #expect(whole.happenings.contains(.data([UInt8]("abcdef".utf8), 1)) && whole.happenings.contains(.end(1)))
        #expect(whole.happenings.suffix(2) == [.closed(3, .cancel), .goAway(.internalError)])
        for piece in 1...bytes.count {
            let server = Server()
            server.receive(bytes, piece: piece)
            #expect(server.happenings == whole.happenings, "in pieces of \(piece)")
            server.send()
            if piece == 1 { whole.send() }
            #expect(SentFrame.all(in: server.sent) == SentFrame.all(in: whole.sent), "in pieces of \(piece)")
        }
    }

    @Test(arguments: [
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", HTTP2Preface.Verdict.http2),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .http2),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r", .unknown), ("", .unknown), ("P", .unknown), ("POST / HTTP/1.1", .http1),
        ("PRI * HTTP/2.0\r\n\r\nXX", .http1), ("GET", .http1), ("\u{16}\u{3}\u{1}", .http1),
    ])
    func `the preface tells HTTP/2 from HTTP/1.1`(_ text: String, _ verdict: HTTP2Preface.Verdict) {
        #expect(unsafe HTTP2Preface.judge([UInt8](text.utf8).span.bytes) == verdict)
    }

    @Test func `a client without a preface is none, and is told nothing`() {
        let server = Server()
        server.receive([UInt8]("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(server.happenings == [.failed(.protocolError)])
    }
}
