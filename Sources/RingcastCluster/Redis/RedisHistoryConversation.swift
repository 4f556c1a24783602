import CHiredis
import Ringcast

/// What is said on the connection on which histories are written and read: which process of Redis this is, the scripts,
/// then calls of these. Answers come in the order of the commands.
final class RedisHistoryConversation: EngineConversation {
    /// What Redis answers while it cannot do what it will do later, or elsewhere.
    private static let passing: Set<Substring> = [
        "NOSCRIPT", "READONLY", "LOADING", "MASTERDOWN", "BUSY", "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN",
    ]

    private enum Stage {
        case authenticating, greeting, asksWho, loadsAppend, loadsRead, open
    }

    private let language: RedisLanguage
    private let reader = RedisReader(elementLimit: 1_024)
    private var stage: Stage
    private var run: [UInt8] = []
    private var append: [UInt8] = []
    private var read: [UInt8] = []

    init(_ language: RedisLanguage) {
        self.language = language
        stage = language.password == nil ? .greeting : .authenticating
    }

    func greeting() -> [UInt8] {
        var bytes = language.greeting
        RedisCommand.append("INFO", "server", to: &bytes)
        RedisCommand.append("SCRIPT", "LOAD", RedisScripts.append, to: &bytes)
        RedisCommand.append("SCRIPT", "LOAD", RedisScripts.read, to: &bytes)
        return bytes
    }

    func read(_ bytes: UnsafeRawBufferPointer, _ tell: (EngineNews) throws(EngineFailure) -> Void)
        throws(EngineFailure)
    {
        try unsafe reader.read(bytes) { reply throws(EngineFailure) in
            if let news = try news(of: reply) { try tell(news) }
        }
    }

    private func news(of reply: RedisReply) throws(EngineFailure) -> EngineNews? {
        switch (stage, reply.kind) {
        case (.open, .string): return .remembered(.appended)
        case (.open, .array): return .remembered(.page(try page(of: reply)))
        case (.open, .status): return .probed
        case (.open, .error):
            let text = reply.text
            guard !Self.passing.contains(text.prefix { $0 != " " }) else {
                throw EngineFailure(reason: "Redis cannot keep histories now: \(text)")
            }
            // Before version 7 it stands behind the script's name.
            return .remembered(text.contains("WRONGTYPE") ? .unusable(text) : .refused(text))
        case (.authenticating, .status): stage = .greeting
        case (.greeting, .status): stage = .asksWho
        case (.asksWho, .string):
            stage = .loadsAppend
            run = try Self.run(in: reply.text)
        case (.loadsAppend, .string):
            stage = .loadsRead
            append = unsafe [UInt8](reply.bytes)
        case (.loadsRead, .string):
            stage = .open
            read = unsafe [UInt8](reply.bytes)
            return .ready
        case (.authenticating, .error): throw RedisLanguage.passwordRefused(reply)
        case (_, .error): throw EngineFailure(reason: "Redis refuses what histories need: \(reply.text)")
        default: throw EngineFailure(reason: "Redis has said something that was not expected")
        }
        return nil
    }

    private static func run(in info: String) throws(EngineFailure) -> [UInt8] {
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id:") }
        guard let line else { throw EngineFailure(reason: "Redis does not say its run_id") }
        return Array(line.dropFirst(7).utf8)
    }

    func appendInterest(_ isInterested: Bool, in topic: Topic, into bytes: inout [UInt8]) {}

    func appendProbe(into bytes: inout [UInt8]) { RedisCommand.append("PING", to: &bytes) }

    func topic(of name: UnsafeRawBufferPointer) -> Topic? { unsafe language.topic(of: name) }

    func appendRequest(_ request: HistoryRequest, into bytes: inout [UInt8]) {
        func number(_ number: some BinaryInteger) -> [UInt8] { Array(String(number).utf8) }
        let fresh = number(UInt64.random(in: 1...1 << 52))
        switch request {
        case .append(let request):
            call(
                append, keys: [key("state", request.topic), key("stream", request.topic), nodeKey],
                [
                    run, fresh, number(request.number), request.message, number(request.bounds.messages),
                    number(request.bounds.bytes), number(request.bounds.keptMilliseconds), request.retain ? [0x31] : [],
                    language.channel(of: request.topic),
                ], into: &bytes)
        case .read(let topic, let position, _):
            call(
                read, keys: [key("state", topic), key("stream", topic)],
                [
                    run, fresh, position.map { number($0.epoch) } ?? [], number(position?.offset ?? 0),
                    number(HistoryAnswerPage.limit.messages), number(HistoryAnswerPage.limit.bytes),
                ], into: &bytes)
        }
    }

    private var nodeKey: [UInt8] { language.prefix + "node:\(language.node)".utf8 }

    private func key(_ kind: String, _ topic: Topic) -> [UInt8] { language.prefix + "\(kind):\(topic.name)".utf8 }

    private func call(_ script: [UInt8], keys: [[UInt8]], _ arguments: [[UInt8]], into bytes: inout [UInt8]) {
        // Written here: hiredis would copy the message three times more.
        let parts = [Array("EVALSHA".utf8), script, Array(String(keys.count).utf8)] + keys + arguments
        bytes += "*\(parts.count)\r\n".utf8
        for part in parts {
            bytes += "$\(part.count)\r\n".utf8
            bytes += part
            bytes += "\r\n".utf8
        }
    }

    private func page(of reply: RedisReply) throws(EngineFailure) -> HistoryAnswerPage {
        func text(_ index: Int) -> String {
            unsafe reply[index].map { unsafe String(decoding: $0, as: UTF8.self) } ?? ""
        }
        func bytes(_ index: Int) -> [UInt8] { unsafe reply[index].map { unsafe [UInt8]($0) } ?? [] }
        guard let epoch = UInt64(text(0)), let last = UInt64(text(1)), let first = UInt64(text(2)) else {
            throw EngineFailure(reason: "Redis has answered something that is no history")
        }
        var page = HistoryAnswerPage(epoch: epoch, first: first, last: last)
        page.earlier = text(3).split(separator: " ").compactMap { Position(String($0)) }
        page.retained = UInt64(text(5)).map { .init(offset: $0, age: .zero, bytes: bytes(4)) }
        var index = 6
        while unsafe reply[index] != nil {
            guard let offset = UInt64(text(index)), let age = Int64(text(index + 1)) else { break }
            page.messages.append(.init(offset: offset, age: .milliseconds(age), bytes: bytes(index + 2)))
            index += 3
        }
        return page
    }
}
