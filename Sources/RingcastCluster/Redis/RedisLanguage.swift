import CHiredis
import Ringcast

/// Redis and Valkey over RESP 2: a topic is a channel. A connection that is subscribed takes no other commands, so
/// there are two.
struct RedisLanguage: EngineLanguage {
    let user: String?
    let password: String?
    /// In front of the names of channels and keys.
    let prefix: [UInt8]
    /// The name of the node that speaks.
    var node = ""
    /// Whether there are histories.
    var remembers = false

    var purposes: [LinkPurpose] { remembers ? [.publishing, .receiving, .remembering] : [.publishing, .receiving] }
    var confirmsPublishes: Bool { true }
    var beginsWithTLS: Bool { true }
    /// What our reader takes; Redis itself takes 512 MiB.
    var longestEnvelope: Int { RedisReader.replyLimit - 4_096 }

    func appendPublish(
        _ header: [UInt8], _ payload: UnsafeRawBufferPointer, to topic: Topic, into bytes: inout [UInt8]
    ) {
        // Written here, since all publishers wait for it: hiredis would copy the message three times more.
        bytes += "*3\r\n$7\r\nPUBLISH\r\n$\(prefix.count + topic.name.utf8.count)\r\n".utf8
        bytes += prefix
        bytes += topic.name.utf8
        bytes += "\r\n$\(header.count + payload.count)\r\n".utf8
        bytes += header
        unsafe bytes.append(contentsOf: payload)
        bytes += "\r\n".utf8
    }

    func makeConversation(for purpose: LinkPurpose) -> any EngineConversation {
        purpose == .remembering ? RedisHistoryConversation(self) : RedisConversation(self, purpose)
    }

    func channel(of topic: Topic) -> [UInt8] { prefix + topic.name.utf8 }

    func topic(of channel: UnsafeRawBufferPointer) -> Topic? {
        guard channel.count > prefix.count, unsafe channel.prefix(prefix.count).elementsEqual(prefix) else {
            return nil
        }
        return unsafe Topic(String(decoding: channel.dropFirst(prefix.count), as: UTF8.self))
    }

    /// What each connection says first.
    var greeting: [UInt8] {
        var bytes: [UInt8] = []
        if let password {
            if let user {
                RedisCommand.append("AUTH", user, password, to: &bytes)
            } else {
                RedisCommand.append("AUTH", password, to: &bytes)
            }
        }
        RedisCommand.append("PING", to: &bytes)
        return bytes
    }

    /// Redis may repeat what it was sent: the code alone is told.
    static func passwordRefused(_ reply: RedisReply) -> EngineFailure {
        EngineFailure(reason: "Redis refuses the password: \(reply.text.prefix { $0 != " " })")
    }
}

/// Commands other than publishes, as hiredis formats them.
enum RedisCommand {
    static func append(_ parts: [[UInt8]], to bytes: inout [UInt8]) {
        let lengths = parts.map(\.count)
        let all = parts.flatMap { $0 }
        var formatted: UnsafeMutablePointer<CChar>?
        let count = unsafe all.withUnsafeBufferPointer { all in
            // Nothing is behind the pointer of an empty array; hiredis reads nothing of an empty part.
            var next = unsafe all.baseAddress.map { unsafe UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            for length in lengths {
                unsafe pointers.append(next)
                unsafe next = next.map { unsafe $0 + length }
            }
            return unsafe redisFormatCommandArgv(&formatted, Int32(parts.count), &pointers, lengths)
        }
        guard count > 0, let formatted = unsafe formatted else { preconditionFailure("hiredis has no memory left") }
        // Safe: hiredis wrote so many bytes, and frees them below.
        unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: formatted, count: Int(count)))
        unsafe redisFreeCommand(formatted)
    }

    static func append(_ words: String..., to bytes: inout [UInt8]) {
        append(words.map { Array($0.utf8) }, to: &bytes)
    }
}
