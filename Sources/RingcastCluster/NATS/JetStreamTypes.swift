import Ringcast

/// A stream's configuration, as far as a topic's needs it
/// (https://docs.nats.io/reference/reference-protocols/nats_api_reference).
struct JetStreamConfiguration: Codable, Equatable {
    struct Republish: Codable, Equatable {
        var src: String
        var dest: String
    }

    var name: String
    var description: String?
    var subjects: [String]?
    var retention = "limits"
    /// A restart of the server is to lose nothing.
    var storage = "file"
    /// Of its oldest messages.
    var discard = "old"
    var messages = -1
    var bytes = -1
    /// Nanoseconds.
    var age: Int64 = 0
    var messagesPerSubject = -1
    var replicas = 1
    /// Nanoseconds for which a message's id is remembered.
    var duplicates: Int64 = JetStreamConfiguration.duplicateWindow
    /// Whether messages can be read without asking the stream's API.
    var direct: Bool? = true
    var republish: Republish?

    static let duplicateWindow: Int64 = 120_000_000_000

    enum CodingKeys: String, CodingKey {
        case name, description, subjects, retention, storage, discard, republish
        case messages = "max_msgs"
        case bytes = "max_bytes"
        case age = "max_age"
        case messagesPerSubject = "max_msgs_per_subject"
        case replicas = "num_replicas"
        case duplicates = "duplicate_window"
        case direct = "allow_direct"
    }
}

/// What a server answers to a question about a stream.
struct JetStreamAnswer: Decodable {
    struct Failure: Decodable {
        let code: Int
        let number: Int?
        let description: String?

        enum CodingKeys: String, CodingKey {
            case code, description
            case number = "err_code"
        }
    }

    struct State: Decodable {
        let messages: UInt64
        let bytes: UInt64
        let first: UInt64
        let last: UInt64
        let lastTime: String?

        /// Whether these are numbers that can be counted on with: nobody gets that far by a message at a time.
        var isCountable: Bool { max(messages, bytes, first, last) < 1 << 43 }

        enum CodingKeys: String, CodingKey {
            case messages, bytes
            case first = "first_seq"
            case last = "last_seq"
            case lastTime = "last_ts"
        }
    }

    let error: Failure?
    let config: JetStreamConfiguration?
    let state: State?
    let created: String?
    /// Of a list: all streams that there are, and a page of them.
    let total: Int?
    let streams: [JetStreamAnswer]?
}

/// What a server is asked.
struct JetStreamQuestion: Encodable {
    /// For a message: its number, or the subject whose last one is meant.
    var seq: UInt64?
    var subject: String?
    /// For a list: how many streams are left out.
    var offset: Int?
    /// For a purge: the subject whose messages go.
    var filter: String?

    enum CodingKeys: String, CodingKey {
        case seq, offset, filter
        case subject = "last_by_subj"
    }
}

extension JetStreamAnswer.Failure {
    /// A failure that has a number in the server's list (server/errors.json).
    enum Kind { case noStream, nameTaken, off, passing, other }

    var kind: Kind {
        switch number {
        case 10_059: .noStream
        // The name, or a subject.
        case 10_058, 10_065: .nameTaken
        case 10_076, 10_039: .off
        // For now unavailable, as a cluster of servers is without a leader.
        case 10_008, 10_009: .passing
        default: .other
        }
    }

    var sentence: String { "\(description ?? "no reason") (\(number ?? code))" }
}

/// Moments as NATS writes them: `2026-11-29T11:10:00.169373409Z`.
enum JetStreamTime {
    /// In milliseconds since 1970; nil for what is no such moment.
    static func milliseconds(_ text: some StringProtocol) -> UInt64? {
        guard let seconds = JSON.seconds(of: "\(text.prefix(19))Z") else { return nil }
        let fraction = text.dropFirst(20).prefix { $0.isNumber }.prefix(3)
        let padded = fraction + String(repeating: "0", count: 3 - fraction.count)
        return UInt64(max(0, seconds)) * 1_000 + (UInt64(padded) ?? 0)
    }
}
