import CHiredis

/// hiredis' reader: bytes in, replies out. Belongs to one connection.
@safe final class RedisReader {
    private let reader: UnsafeMutablePointer<redisReader>
    /// What the engine may say at once, in bytes: a message has at most 512 MiB, ours far less.
    static let replyLimit = 64 << 20

    private let elementLimit: Int32

    /// - Parameter elementLimit: elements of an array: what a subscription brings has three.
    init(elementLimit: Int32 = 16) {
        self.elementLimit = elementLimit
        guard let reader = unsafe redisReaderCreate() else { preconditionFailure("hiredis has no memory left") }
        unsafe self.reader = reader
    }

    deinit { unsafe redisReaderFree(reader) }

    private static let notAskedFor = EngineFailure(reason: "Redis has sent a reply that nobody asked for")

    /// Takes bytes, and hands on each reply that is whole with them.
    func read(_ bytes: UnsafeRawBufferPointer, _ body: (RedisReply) throws(EngineFailure) -> Void) throws(EngineFailure)
    {
        // An error is kept by the reader, and told by `next`.
        _ = unsafe redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        while let reply = try next() {
            defer { reply.free() }
            try body(reply)
        }
    }

    /// The next whole reply, which the caller frees; nil until more has come.
    private func next() throws(EngineFailure) -> RedisReply? {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &reply) == REDIS_OK else {
            throw EngineFailure(reason: "what has come is not the protocol of Redis")
        }
        if let reply = unsafe reply {
            let reply = unsafe RedisReply(reply.assumingMemoryBound(to: redisReply.self))
            guard reply.elementCount <= elementLimit, !reply.holdsArrays else {
                reply.free()
                throw Self.notAskedFor
            }
            return reply
        }
        // An array of which more and more comes takes its room in the reply that hiredis makes, not in the buffer.
        guard unsafe reader.pointee.ridx < 0 || reader.pointee.rstack.0.elements <= elementLimit,
            unsafe reader.pointee.ridx < 2
        else { throw Self.notAskedFor }
        guard unsafe reader.pointee.len - reader.pointee.pos <= Self.replyLimit else {
            throw EngineFailure(reason: "Redis has begun a reply of more than \(Self.replyLimit >> 20) MiB")
        }
        return nil
    }
}

/// A reply of Redis. Its parts are valid until `free`.
@safe struct RedisReply {
    enum Kind { case string, array, integer, none, status, error }

    private let reply: UnsafeMutablePointer<redisReply>

    init(_ reply: UnsafeMutablePointer<redisReply>) { unsafe self.reply = reply }

    func free() { unsafe freeReplyObject(reply) }

    var kind: Kind {
        switch unsafe reply.pointee.type {
        case REDIS_REPLY_STRING: .string
        case REDIS_REPLY_ARRAY: .array
        case REDIS_REPLY_INTEGER: .integer
        case REDIS_REPLY_STATUS: .status
        case REDIS_REPLY_ERROR: .error
        default: .none
        }
    }

    /// The bytes of a string, a status or an error.
    var bytes: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: reply.pointee.str, count: reply.pointee.str == nil ? 0 : reply.pointee.len)
    }

    var text: String { unsafe String(decoding: bytes, as: UTF8.self) }

    /// Elements of an array, 0 for everything else.
    var elementCount: Int { unsafe reply.pointee.element == nil ? 0 : reply.pointee.elements }

    /// Whether an element of it has elements in its turn.
    var holdsArrays: Bool {
        (0..<elementCount).contains { index in
            guard let element = unsafe reply.pointee.element[index] else { return false }
            return unsafe RedisReply(element).elementCount > 0
        }
    }

    /// The bytes of an array's element; nil if there is no such one.
    subscript(index: Int) -> UnsafeRawBufferPointer? {
        guard kind == .array, unsafe index < reply.pointee.elements, let element = unsafe reply.pointee.element[index]
        else { return nil }
        return unsafe RedisReply(element).bytes
    }
}
