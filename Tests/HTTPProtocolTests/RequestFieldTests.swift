import HTTPProtocol
import HTTPTypes
import Testing

@Suite struct RequestFieldTests {
    private static let line = "GET / HTTP/1.1\r\n"

    @Test func `fields are found without regard to case, and trimmed`() throws {
        try withHead(Self.line + "hOsT:\t a \t\r\nUSER-AGENT: one two\r\nX-Empty:\r\nX-Blank: \t \r\n\r\n") { head in
            #expect(head.authority == "a")
            #expect(head.header(.userAgent) == "one two")
            #expect(head.header(HTTPField.Name("x-empty")!) == "")
            #expect(head.header(HTTPField.Name("X-Blank")!) == "")
            #expect(head.hasHeader(HTTPField.Name("X-Blank")!) == true)
            #expect(head.header(.accept) == nil)
            #expect(head.hasHeader(.accept) == false)
            #expect(head.headers(.accept) == [])
        }
    }

    @Test func `several lines of a field are combined`() throws {
        let fields = "Host: a\r\nAccept: x\r\nCookie: a=1\r\naccept: y, z\r\nCookie: b=2\r\n\r\n"
        try withHead(Self.line + fields) { head in
            #expect(head.header(.accept) == "x, y, z")
            #expect(head.headers(.accept) == ["x", "y, z"])
            #expect(head.header(.cookie) == "a=1; b=2")
        }
    }

    @Test func `what a handshake is judged by is what the look-ups say`() throws {
        let fields = [
            "Host: a", "UPGRADE: h2c", "upgrade:websocket ", "Connection: keep-alive", "connection: Upgrade",
            "Sec-WebSocket-Key:  k ", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: a, b",
            "sec-websocket-protocol: c", "Origin: https://a", "Sec-WebSocket-Extensions: x",
            "sec-websocket-extensionz: z",
            "Sec-WebSocket-Extensions: y; z=1",
        ]
        for lines in [fields, Array(fields.prefix(1)), fields.reversed()] {
            try withHead(Self.line + lines.joined(separator: "\r\n") + "\r\n\r\n") { head in
                let found = HandshakeFields(head)
                #expect(found.upgrade == head.header(.upgrade) && found.connection == head.header(.connection))
                #expect(found.key == head.header(.secWebSocketKey) && found.origin == head.header(.origin))
                #expect(found.version == head.header(.secWebSocketVersion))
                #expect(found.subprotocols == head.headers(.secWebSocketProtocol))
                #expect(found.extensions == head.header(.secWebSocketExtensions))
            }
        }
    }

    /// Eight bytes are looked at together, and what is right for one place of the eight may be wrong for another.
    @Test func `a name's end is found wherever it lies, and whatever is behind it`() throws {
        for length in 1...40 {
            let name = String(repeating: "n", count: length)
            for value in ["::", ";", ":", "9;:;:;:;:;:"] {
                try withHead(Self.line + "Host: a\r\n\(name):\(value)\r\nLast: 1\r\n\r\n") { head in
                    #expect(head.header(HTTPField.Name(name)!) == value)
                    #expect(head.header(HTTPField.Name("last")!) == "1")
                }
            }
        }
    }

    @Test func `all fields are copied in order`() throws {
        try withHead(Self.line + "Host: a\r\nX-One: 1\r\nx-one: 2\r\nAccept: text/*\r\n\r\n") { head in
            let fields = head.fields
            #expect(fields.map(\.name.canonicalName) == ["host", "x-one", "x-one", "accept"])
            #expect(fields[values: HTTPField.Name("X-One")!] == ["1", "2"])
        }
    }

    @Test func `a value may hold tabs, colons and bytes that are not ASCII`() throws {
        try withHead(Self.line + "Host: a\r\nUser-Agent: é\tb:c\u{1F600} and more text\r\n\r\n") { head in
            #expect(head.header(.userAgent) == "é\tb:c\u{1F600} and more text")
        }
    }

    @Test func `cookies are found by their exact name`() throws {
        let cookies = "Cookie: a=1; ab=2;c=\"quoted\";  d = x=y ; broken; e=\"\r\nCookie: a=3; late=4\r\n\r\n"
        try withHead(Self.line + "Host: a\r\n" + cookies) { head in
            #expect(head.cookie("a") == "1")
            #expect(head.cookie("ab") == "2")
            #expect(head.cookie("c") == "quoted")
            #expect(head.cookie("d") == "x=y")
            #expect(head.cookie("e") == "\"")
            #expect(head.cookie("late") == "4")
            #expect(head.cookie("A") == nil)
            #expect(head.cookie("broken") == nil)
        }
    }

    @Test(arguments: [
        "Host: a\r\nName : v\r\n",  // a blank before the colon
        "Host: a\r\nName\r\n",  // no colon
        "Host: a\r\n: v\r\n",  // no name
        "Host: a\r\nNa me: v\r\n",
        "Host: a\r\nN(me: v\r\n",
        "Host: a\r\nNàme: v\r\n",
        "Host: a\r\nName: v\r\n folded\r\n",
        "Host: a\r\nName: v\r\n\tfolded\r\n",
        " Host: a\r\n",  // a blank before the first field
        "Host: a\nName: v\r\n",
        "Host: a\rName: v\r\n",
        "Host: a\r\r\n",
        "Host: a\r\n\n",
        "Host: a\r\n\rX",
        "Host: a\r\nName: v\u{0}\r\n",
        "Host: a\r\nName: long enough for a word \u{0B} vertical\r\n",
        "Host: a\r\nName: v\u{7F}\r\n",
        "Host: a\r\nName: \u{1B}[31m\r\n",
    ])
    func `a malformed field line is refused with 400 as soon as it is seen`(fields: String) {
        #expect(verdict(Self.line + fields).refusedStatus == 400)
    }

    @Test func `every control character but the tab is refused wherever it stands in a value`() {
        for control in Array(0x00...0x1F) + [0x7F] as [UInt8] where control != 0x09 {
            for place in 0..<24 {
                var value = [UInt8](repeating: 0x61, count: 24)
                value[place] = control
                let bytes = Array((Self.line + "X:").utf8) + value + Array("\r\nHost: a\r\n\r\n".utf8)
                #expect(parse(bytes, arriving: [bytes.count]).refusedStatus == 400, "\(control) at \(place)")
            }
        }
    }

    @Test func `every other byte is accepted wherever it stands in a value`() {
        for byte in [0x09] + Array(0x20...0x7E) + Array(0x80...0xFF) as [UInt8] {
            for place in 0..<24 {
                var value = [UInt8](repeating: 0x61, count: 24)
                value[place] = byte
                let bytes = Array((Self.line + "X:").utf8) + value + Array("\r\nHost: a\r\n\r\n".utf8)
                #expect(parse(bytes, arriving: [bytes.count]).layout != nil, "\(byte) at \(place)")
            }
        }
    }

    @Test func `the field over the limit is refused with 431 before its line ends`() {
        let limits = RequestLimits(fieldCount: 3)
        #expect(verdict(Self.line + "Host: a\r\nB: b\r\nC: c\r\n\r\n", limits: limits).layout != nil)
        #expect(verdict(Self.line + "Host: a\r\nB: b\r\nC: c\r\nD", limits: limits).refusedStatus == 431)
    }

    @Test func `a head over the limit is refused with 431, whatever is behind the limit`() {
        let head = Self.line + "Host: a\r\nName: value\r\n\r\n"
        let count = head.utf8.count
        #expect(verdict(head, limits: RequestLimits(headBytes: count)).layout != nil)
        #expect(verdict(head, limits: RequestLimits(headBytes: count - 1)).refusedStatus == 431)
        #expect(verdict(Self.line + "Host: a\r\nName: va\n", limits: RequestLimits(headBytes: 33)).refusedStatus == 431)
    }

    @Test func `the limits are 16 KiB, 100 fields, 8 KiB of target and 1 MiB of body`() {
        let limits = RequestLimits()
        #expect(limits == RequestLimits(headBytes: 16384, fieldCount: 100, targetBytes: 8192, bodyBytes: 1_048_576))
    }
}
