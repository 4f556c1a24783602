import Ringcast
import Testing

@testable import RingcastCluster

@Suite struct RedisConversationTests {
    private static let language = RedisLanguage(
        user: nil, password: "secret", prefix: Array("p:".utf8), remembers: true)

    private func news(_ text: String, for purpose: LinkPurpose, in size: Int) throws(EngineFailure) -> [String] {
        try Self.language.makeConversation(for: purpose).news(of: text, in: size)
    }

    @Test(arguments: [1, 2, 7, 1_000])
    func `answers to publishes come in order`(_ size: Int) throws {
        let told = try news("+OK\r\n+PONG\r\n:1\r\n:0\r\n-OOM no room\r\n+PONG\r\n:3\r\n", for: .publishing, in: size)
        #expect(told == ["ready", "confirmed", "confirmed", "refused OOM no room", "probed", "confirmed"])
    }

    @Test(arguments: [1, 3, 1_000])
    func `messages come with their topics, whatever is in them`(_ size: Int) throws {
        let stream =
            "+OK\r\n+PONG\r\n*3\r\n$9\r\nsubscribe\r\n$3\r\np:a\r\n:1\r\n"
            + "*3\r\n$7\r\nmessage\r\n$3\r\np:a\r\n$6\r\nx\r\n*1\u{0}\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n"
            + "*3\r\n$7\r\nmessage\r\n$3\r\nq:b\r\n$1\r\ny\r\n*3\r\n$7\r\nmessage\r\n$3\r\np:c\r\n$0\r\n\r\n"
        let told = try news(stream, for: .receiving, in: size)
        #expect(told == ["ready", "following a", "p:a".dropFirst(2) + ": x\r\n*1\u{0}", "probed", "?: y", "c: "])
    }

    @Test(arguments: [
        "*3\r\n$7\r\nmessage\r\n*1\r\n:1\r\n:1\r\n", "*17\r\n" + String(repeating: ":1\r\n", count: 17),
    ])
    func `a reply that nobody can have asked for ends the connection, in one piece as in many`(_ reply: String) {
        for size in [1, 5, 1_000] {
            #expect(throws: EngineFailure(reason: "Redis has sent a reply that nobody asked for")) {
                try news("+OK\r\n+PONG\r\n" + reply, for: .receiving, in: size)
            }
        }
    }

    private static let greetings =
        "+OK\r\n+PONG\r\n$25\r\n# Server\r\nrun_id:abcdef\r\n\r\n$3\r\nsh1\r\n$3\r\nsh2\r\n"

    @Test(arguments: [1, 4, 1_000])
    func `histories are written and read by scripts, and answers come in order`(_ size: Int) throws {
        let page =
            "*9\r\n$2\r\n77\r\n$1\r\n9\r\n$1\r\n8\r\n$5\r\n66.7 \r\n$0\r\n\r\n$0\r\n\r\n"
            + "$1\r\n9\r\n$2\r\n15\r\n$2\r\nhi\r\n"
        let stream = Self.greetings + "$1\r\n9\r\n" + page + "-OOM no room\r\n+PONG\r\n"
        let told = try news(stream, for: .remembering, in: size)
        #expect(told == ["ready", "appended", "page 77 8-9 after [\"66.7\"]: 9 hi", "not kept: OOM no room", "probed"])
    }

    @Test(arguments: ["-NOSCRIPT no\r\n", "-READONLY You can't write against a read only replica.\r\n"])
    func `what Redis cannot keep now is kept over another connection`(_ answer: String) {
        #expect(throws: EngineFailure.self) { try news(Self.greetings + answer, for: .remembering, in: 100) }
    }

    @Test(arguments: [
        "-WRONGTYPE Operation against a key holding the wrong kind of value script: f1\r\n",
        "-ERR Error running script (call to f1): @user_script:1: WRONGTYPE Operation against a key\r\n",
    ])
    func `a key of another type is the matter of its topic alone`(_ answer: String) throws {
        let told = try news(Self.greetings + answer, for: .remembering, in: 100)
        #expect(told.count == 2 && told[1].hasPrefix("unusable: "))
    }

    @Test func `a message that is sent again has the number that it had`() throws {
        let conversation = Self.language.makeConversation(for: .remembering)
        _ = try conversation.news(of: Self.greetings)
        let outbox = HistoryOutbox(byteLimit: 1_000)
        for text in ["a", "b"] {
            #expect(
                outbox.append(Array(text.utf8), to: "t", keeping: .init(messages: 5), retain: false).result == .accepted
            )
        }
        func sent() -> [String] {
            outbox.take().map { request in
                var bytes: [UInt8] = []
                conversation.appendRequest(request, into: &bytes)
                let words = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
                return "\(words[18]) \(words[20])"
            }
        }
        #expect(sent() == ["1 a", "2 b"] && sent() == [])
        outbox.removeOldest()
        outbox.restart()
        _ = outbox.append([0x63], to: "t", keeping: .init(messages: 5), retain: false)
        #expect(sent() == ["2 b", "3 c"] && outbox.hasAppends)
        #expect(
            outbox.close() == 2
                && outbox.append([], to: "t", keeping: .init(messages: 5), retain: false).result == .dropped)
    }

    @Test func `a history that is kept for ever is kept for as long as Redis can count`() throws {
        let conversation = Self.language.makeConversation(for: .remembering)
        _ = try conversation.news(of: Self.greetings)
        let bounds = TopicRule.History(messages: 5, age: .seconds(Int64.max))
        var bytes: [UInt8] = []
        conversation.appendRequest(
            .append(HistoryAppend(number: 1, message: [0x61], topic: "t", bounds: bounds, retain: false)), into: &bytes)
        let words = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        #expect(words.contains(Substring(String(UInt64(1) << 40))))
    }

    @Test func `a wrong password ends the connection, and is not repeated`() {
        #expect {
            _ = try news("-WRONGPASS invalid username-password pair\r\n", for: .publishing, in: 100)
        } throws: { error in
            (error as? EngineFailure)?.reason
                == "Redis refuses the password: WRONGPASS"
        }
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n+PONG\r\n*9999999999\r\n", "+OK\r\n+PONG\r\n$-7\r\n"])
    func `what is no Redis ends the connection`(_ text: String) {
        #expect(throws: EngineFailure.self) { try news(text, for: .publishing, in: 5) }
    }

    @Test func `commands have their parts' lengths, empty ones too`() {
        var bytes: [UInt8] = []
        unsafe Self.language.appendPublish(
            Array("t0".utf8), UnsafeRawBufferPointer(start: nil, count: 0), to: "ä", into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "*3\r\n$7\r\nPUBLISH\r\n$4\r\np:ä\r\n$2\r\nt0\r\n")
        bytes = []
        RedisCommand.append("AUTH", "", to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n")
    }
}
