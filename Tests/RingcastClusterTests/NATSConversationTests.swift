import Ringcast
import Testing

@testable import RingcastCluster

@Suite struct NATSConversationTests {
    private func language(isSecure: Bool = false) -> NATSLanguage {
        NATSLanguage(user: "ann", password: "se\"cret", isSecure: isSecure, prefix: "rc")
    }

    private let info = #"INFO {"server_id":"N","max_payload":1024,"headers":true}"# + "\r\n"

    @Test(arguments: [1, 2, 13, 1_000])
    func `the server introduces itself, lets the client in, and sends messages`(_ size: Int) throws {
        let language = language()
        let conversation = language.makeConversation(for: [.publishing, .receiving])
        #expect(conversation.greeting() == [])
        var bytes: [UInt8] = []
        conversation.appendProbe(into: &bytes)
        let told = try conversation.news(
            of: info
                + "PONG\r\nMSG rc.a 1 6\r\nx\r\nMSG\r\nMSG rc.=C3=A4=20 2 _INBOX.1 0\r\n\r\n"
                + "PING\r\n+OK\r\nMSG other 3 1\r\ny\r\nPONG\r\n",
            in: size)
        #expect(told.count == 7)
        #expect(told[0].hasPrefix("say CONNECT {") && told[0].hasSuffix("}|PING|"))
        #expect(told[0].contains(#""echo":false"#) && told[0].contains(#""pass":"se\"cret""#))
        #expect(Array(told[1...]) == ["ready", "a: x\r\nMSG", "ä : ", "say PONG|", "?: y", "probed"])
        #expect(language.longestEnvelope == 1_024)
    }

    @Test func `TLS begins behind the first line, if the URL wants it`() throws {
        let conversation = language(isSecure: true).makeConversation(for: [.publishing, .receiving])
        #expect(try conversation.news(of: info) == ["TLS"])
        #expect(String(decoding: conversation.greeting(), as: UTF8.self).hasPrefix("CONNECT {"))
        let plain = language().makeConversation(for: [.publishing, .receiving])
        #expect(throws: EngineFailure.self) { try plain.news(of: "INFO {\"tls_required\":true}\r\n") }
    }

    @Test(arguments: ["MSG rc.news 1 1\r\nx\r\n", "PONG\r\n", "MSG rc.n"])
    func `what somebody in the middle adds in front of TLS is not taken`(_ text: String) {
        let secure = language(isSecure: true).makeConversation(for: [.publishing, .receiving])
        #expect(throws: EngineFailure.self) { try secure.news(of: info + text) }
    }

    @Test(arguments: [
        "-ERR 'Authorization Violation'\r\n", "HTTP/1.1 400 Bad Request\r\n", "INFO nothing\r\n", "MSG a 1 x\r\n",
        "MSG a 1 -1\r\n", "MSG a 1 99999999999999999999\r\n", "MSG a 1 2\r\nabc\r\n",
    ])
    func `what is no NATS ends the connection`(_ text: String) {
        let conversation = language().makeConversation(for: [.publishing, .receiving])
        #expect(throws: EngineFailure.self) { try conversation.news(of: text) }
    }

    @Test func `a line without an end is bounded`() {
        let conversation = language().makeConversation(for: [.publishing, .receiving])
        #expect(throws: EngineFailure.self) {
            try conversation.news(of: String(repeating: "x", count: 70_000), in: 4_096)
        }
    }

    @Test func `topics are subjects of one token, and come back as they were`() throws {
        let language = language()
        for name in ["news", "room/1.2", "a b*>", "=41", "ä\u{0}\r\n", String(repeating: "ß", count: 512)] {
            var bytes: [UInt8] = []
            language.appendSubject(of: Topic(name), into: &bytes)
            #expect(bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2A && $0 != 0x3E })
            #expect(bytes.filter { $0 == UInt8(ascii: ".") }.count == 1)
            #expect(unsafe bytes.withUnsafeBytes { unsafe language.topic(of: $0)?.name } == name)
        }
    }

    @Test func `a topic with history is a stream's, whose messages say their numbers`() throws {
        let language = NATSLanguage(
            user: nil, password: nil, isSecure: false, prefix: "rc", history: { $0 == "a.b" })
        #expect(language.purposes == [[.publishing, .receiving], .remembering])
        let conversation = language.makeConversation(for: [.publishing, .receiving])
        var bytes: [UInt8] = []
        for topic in ["a.b", "c"] { conversation.appendInterest(true, in: Topic(topic), into: &bytes) }
        conversation.appendProbe(into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "SUB rc.kept.*.a=2Eb.* 1\r\nPING\r\nSUB rc.c 2\r\nPING\r\n")
        let headers = "NATS/1.0\r\nNats-Msg-Id: n-1\r\nNats-Sequence: 7\r\n\r\n"
        let count = headers.utf8.count
        let told = try conversation.news(
            of: info + "PONG\r\nPONG\r\nHMSG rc.kept.r.a=2Eb.66 1 \(count) \(count + 2)\r\n\(headers)hi\r\n"
                + "HMSG rc.kept.h.a=2Eb.66 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\nMSG rc.kept 2 1\r\nx\r\nPONG\r\n", in: 7)
        #expect(Array(told[1...]) == ["ready", "following a.b", "a.b 66.7: hi", "kept: x", "probed"])
        #expect(throws: EngineFailure.self, "nothing was asked any more") { try conversation.news(of: "PONG\r\n") }
    }

    @Test(arguments: ["HMSG a 1 5\r\n", "HMSG a 1 9 5\r\nabcde\r\n", "HMSG a 1 x 5\r\nabcde\r\n"])
    func `headers are no longer than the message`(_ text: String) {
        let conversation = language().makeConversation(for: [.publishing, .receiving])
        #expect(throws: EngineFailure.self) { try conversation.news(of: info + "PONG\r\n" + text) }
    }

    @Test func `a subscription has a number, which its end names`() {
        let conversation = language().makeConversation(for: [.publishing, .receiving])
        var bytes: [UInt8] = []
        for (isInterested, topic) in [(true, "a"), (true, "b"), (true, "a"), (false, "a"), (false, "a"), (true, "a")] {
            conversation.appendInterest(isInterested, in: Topic(topic), into: &bytes)
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "SUB rc.a 1\r\nSUB rc.b 2\r\nUNSUB 1\r\nSUB rc.a 3\r\n")
    }
}
