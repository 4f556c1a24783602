import Ringcast
import Synchronization
import Testing

@testable import RingcastCluster

/// Histories over NATS, where the test plays the server.
@Suite struct JetStreamConversationTests {
    @Test func `the server is asked for the stream of retained messages before anything else`() throws {
        let peer = JetStreamPeer()
        #expect(try peer.greet() == ["ready"])
        #expect(peer.heard == ["$JS.API.STREAM.CREATE.rc"])
    }

    @Test func `a server without JetStream does not remember, and it is said`() {
        let peer = JetStreamPeer()
        #expect {
            _ = try peer.greet(answer: nil)
        } throws: { error in
            (error as? EngineFailure)?.reason.hasPrefix("topics with history need an engine that remembers") ?? false
        }
    }

    @Test func `the first message of a topic makes its stream, and others go behind it in one write`() throws {
        let peer = try JetStreamPeer.greeted()
        for number in 1...3 { peer.append("m\(number)", to: "a.b", number: UInt64(number)) }
        #expect(peer.heard == ["$JS.API.STREAM.INFO.rc-a=2Eb"])
        #expect(try peer.answerNoStream() == [] && peer.heard == ["$JS.API.STREAM.CREATE.rc-a=2Eb"])
        let made = try #require(peer.configuration)
        let stream = try #require(JetStreamLabel(made, peer.language)?.stream)
        #expect(made.messages == 5 && made.storage == "file" && made.republish?.src == "rc.*.a=2Eb.\(stream).*")
        #expect(made.republish?.dest == "rc.kept.{{wildcard(1)}}.a=2Eb.{{wildcard(2)}}")
        #expect(try peer.answer(made, first: 0, last: 0) == [] && peer.heard == ["$JS.API.DIRECT.GET.rc"])
        #expect(try peer.answerNote() == [] && peer.heard == ["rc.n.a=2Eb"] && peer.note == "\(stream) R")
        #expect(try peer.acknowledge(1) == [])
        let epoch = JetStreamNumbering(stream: stream, run: "R").epoch
        #expect(peer.heard == (1...3).map { _ in "rc.h.a=2Eb.\(stream).\(epoch)" })
        #expect(peer.questions.map(\.payload) == ["m1", "m2", "m3"])
        #expect(peer.questions.map(\.headers) == (1...3).map { "NATS/1.0\r\nNats-Msg-Id: n-\($0)\r\n\r\n" })
        #expect(try (1...3).flatMap { try peer.acknowledge($0) } == ["appended", "appended", "appended"])
    }

    @Test func `answers are told in the order of the requests`() throws {
        let peer = try JetStreamPeer.greeted()
        let one = try peer.stream(of: "one"), two = try peer.stream(of: "two")
        #expect(one != two)
        peer.append("1", to: "one", number: 10)
        peer.append("2", to: "two", number: 11)
        let asked = peer.takeQuestions()
        #expect(try peer.say("{\"stream\":\"x\",\"seq\":1}", to: asked[1]) == [])
        let refusal = #"{"error":{"code":500,"err_code":10077,"description":"no room"}}"#
        #expect(try peer.say(refusal, to: asked[0]) == ["not kept: no room (10077)", "appended"])
    }

    @Test func `a read waits for what was appended before it, and what is appended behind it for its answer`() throws {
        let peer = try JetStreamPeer.greeted()
        let epoch = try peer.stream(of: "t")
        let made = try #require(peer.made["rc-t"])
        let subject = try #require(made.subjects?.first?.replacing("*", with: "\(epoch)"))
        peer.append("before", to: "t", number: 10)
        peer.read("t", after: Position(epoch: epoch, offset: 1))
        peer.append("behind", to: "t", number: 11)
        #expect(peer.heard == [subject])
        #expect(try peer.acknowledge(2) == ["appended"] && peer.heard == ["$JS.API.STREAM.INFO.rc-t"])
        #expect(try peer.answer(made, first: 1, last: 2) == [])
        #expect(peer.heard == ["$JS.API.DIRECT.GET.rc-t", subject])
        let asked = peer.takeQuestions()
        #expect(asked[0].payload == "{\"seq\":2}")
        #expect(try peer.say("before", to: asked[0], "Nats-Sequence: 2") == ["page \(epoch) 1-2 after []: 2 before"])
    }

    @Test func `a server that has started anew goes on under another epoch, and says where the last had ended`()
        throws
    {
        let before = try JetStreamPeer.greeted(run: "R1")
        let epoch = try before.stream(of: "t")
        let made = try #require(before.made["rc-t"])
        let stream = try #require(JetStreamLabel(made, before.language)?.stream)
        // Two nodes that ask at the same time write the same; the third one finds it.
        for note in ["\(stream) R1", "\(stream) R1", "\(stream) R2 \(epoch).4"] {
            let peer = try JetStreamPeer.greeted(run: "R2")
            peer.read("t", after: Position(epoch: epoch, offset: 3))
            #expect(try peer.answer(made, first: 2, last: 4) == [] && peer.answerNote(note) == [])
            if note.contains("R1") {
                #expect(peer.note == "\(stream) R2 \(epoch).4")
                #expect(try peer.acknowledge(1) == [])
            }
            let new = JetStreamNumbering(stream: stream, run: "R2").epoch
            let asked = peer.takeQuestions()
            #expect(new != epoch && asked.map(\.payload) == ["{\"seq\":4}"])
            #expect(try peer.sayMissing(to: asked[0]) == ["page \(new) 2-4 after [\"\(epoch).4\"]: "])
        }
    }

    @Test func `a page begins with what is kept, and leaves out what is gone meanwhile`() throws {
        let peer = try JetStreamPeer.greeted()
        let epoch = try peer.stream(of: "t")
        let made = try #require(peer.made["rc-t"])
        peer.read("t", after: .oldest)
        _ = try peer.answer(made, first: 7, last: 9)
        let asked = peer.takeQuestions()
        #expect(asked.map(\.payload) == (7...9).map { "{\"seq\":\($0)}" })
        let time = "2026-01-01T00:00:01.5Z"
        peer.now.withLock { $0 = 1_767_225_602_000 }
        #expect(try peer.say("nine", to: asked[2], "Nats-Sequence: 9", "Nats-Time-Stamp: \(time)") == [])
        #expect(try peer.sayMissing(to: asked[0]) == [])
        #expect(
            try peer.say("eight", to: asked[1], "Nats-Sequence: 8") == ["page \(epoch) 7-9 after []: 8 eight, 9 nine"])
        #expect(peer.pages.last?.messages.map(\.age) == [.zero, .milliseconds(500)])
        for offset in [UInt64.max, 9, 1_000] {
            peer.read("t", after: Position(epoch: epoch, offset: offset))
            #expect(try peer.answer(made, first: 7, last: 9) == ["page \(epoch) 7-9 after []: "])
        }
    }

    @Test func `a topic begins with what it retains, whose number is its own stream's`() throws {
        let peer = try JetStreamPeer.greeted()
        _ = try peer.stream(of: "t")
        let made = try #require(peer.made["rc-t"])
        for (number, isThere) in [(3, true), (10, false)] {
            peer.read("t", after: nil)
            _ = try peer.answer(made, first: 7, last: 9)
            #expect(peer.questions.map(\.payload) == [#"{"last_by_subj":"rc.kept.r.t.*"}"#])
            _ = try peer.say("kept", to: peer.takeQuestions()[0], "Nats-Sequence: \(number)", "Nats-Sequence: 1")
            #expect(peer.pages.last?.retained?.offset == (isThere ? UInt64(number) : nil))
        }
    }

    @Test func `a stream with numbers that none can come to is not counted on`() throws {
        let peer = try JetStreamPeer.greeted()
        _ = try peer.stream(of: "t")
        let made = try #require(peer.made["rc-t"])
        peer.read("t", after: .oldest)
        #expect(
            try peer.answer(made, first: .max, last: .max) == ["unusable: its stream is not one that a node has made"])
    }

    @Test func `nothing is known of a topic without a stream, and a stream of somebody else's is left alone`() throws {
        let peer = try JetStreamPeer.greeted()
        peer.read("t", after: .oldest)
        #expect(try peer.answerNoStream() == ["page 0 1-0 after []: "])
        peer.read("t", after: .oldest)
        let foreign = JetStreamConfiguration(name: "rc-t", subjects: ["orders"])
        #expect(try peer.answer(foreign, first: 1, last: 9) == ["unusable: its stream is not one that a node has made"])
        peer.append("x", to: "t", number: 1)
        for _ in 0..<2 {
            _ = try peer.answerNoStream()
            _ = try peer.say(#"{"error":{"code":400,"err_code":10065}}"#, to: peer.takeQuestions()[0])
        }
        #expect(try peer.answerNoStream() == ["not kept: stream not found (10059)"], "it is not tried for ever")
    }

    @Test(arguments: [
        #"{"error":{"code":503,"err_code":10008,"description":"temporarily unavailable"}}"#,
        #"{"error":{"code":503,"err_code":10039}}"#, "nothing",
    ])
    func `what JetStream cannot do now is done over another connection`(_ answer: String) throws {
        let peer = try JetStreamPeer.greeted()
        peer.append("x", to: "t", number: 1)
        #expect(throws: EngineFailure.self) { try peer.say(answer, to: peer.takeQuestions()[0]) }
        let other = try JetStreamPeer.greeted()
        _ = try other.stream(of: "t")
        other.append("x", to: "t", number: 1)
        #expect(throws: EngineFailure.self, "nobody takes what is appended") {
            try other.sayStatus(503, to: other.takeQuestions()[0])
        }
    }

    @Test func `a question that the server has lost ends the connection`() throws {
        let peer = try JetStreamPeer.greeted()
        peer.read("t", after: .oldest)
        #expect(try peer.probe() == ["probed"])
        peer.now.withLock { $0 += 11_000 }
        #expect(throws: EngineFailure.self) { try peer.probe() }
    }

    @Test func `few pages are read at once, the oldest always`() throws {
        let peer = try JetStreamPeer.greeted()
        for number in 0..<40 { peer.read(Topic("t\(number)"), after: .oldest) }
        var told = 0
        var most = 0
        while told < 40 {
            let asked = peer.takeQuestions()
            try #require(!asked.isEmpty)
            most = max(most, asked.count)
            // The newest are answered first.
            for question in asked.reversed() { told += try peer.say(JetStreamPeer.noStream, to: question).count }
        }
        #expect(most == 16)
    }

    @Test func `streams that nobody has appended to for a day are deleted`() throws {
        let peer = try JetStreamPeer.greeted()
        let topics: [Topic] = ["old", "new", "mine"]
        for topic in topics { _ = try peer.stream(of: topic) }
        let made = topics.compactMap { peer.made[peer.language.stream(of: $0)] }
        let other = JetStreamPeer()
        #expect(try other.greet() == ["ready"] && other.takeQuestions().count == 1)
        other.read("mine", after: .oldest)
        other.now.withLock { $0 += 2 * 86_400_000 }
        #expect(other.probing().map(\.subject) == ["$JS.API.STREAM.INFO.rc-mine", "$JS.API.STREAM.LIST"])
        let list = other.takeQuestions()[1]
        let times = ["2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z", "2026-01-01T00:00:00Z"]
        let streams = zip(made, times).map { configuration, time in
            JetStreamPeer.info(configuration, first: 1, last: 1, time: time)
        }
        let foreign = JetStreamPeer.info(
            JetStreamConfiguration(name: "orders", subjects: ["orders"]), first: 1, last: 1, time: times[0])
        let page = "{\"total\":4,\"streams\":[\((streams + [foreign]).joined(separator: ","))]}"
        #expect(try other.say(page, to: list) == [])
        #expect(other.heard == ["$JS.API.STREAM.DELETE.rc-old", "$JS.API.STREAM.PURGE.rc", "$JS.API.STREAM.PURGE.rc"])
        #expect(other.questions.last?.payload == #"{"filter":"rc.n.old"}"#)
    }

    @Test func `streams have names that folders can have, and no topic takes another one's`() {
        let language = JetStreamPeer().language
        let long = String(repeating: "ä", count: 500)
        let names = ["a", "a/b", "a.b", "=41", long + "1", long + "2"].map { language.stream(of: Topic($0)) }
        #expect(Set(names).count == names.count && names.allSatisfy { $0.utf8.count <= 200 + 18 })
        #expect(names.allSatisfy { name in !name.contains { "./ *>\\".contains($0) } })
        let made = JetStreamConfiguration(of: Topic(long), 5, keeping: .init(messages: 1), language)
        let label = JetStreamLabel(made, language)
        #expect(label?.topic.name == long && label?.stream == 5 && label?.keptMilliseconds == 86_400_000)
        #expect(JetStreamLabel(JetStreamConfiguration(name: "rc-a", subjects: ["rc.h.a.5"]), language) == nil)
    }
}
