import LoadTesting
import Ringcast

/// What plain HTTP may ask of topics.
enum TopicPages {
    /// `GET /presence/T`: the names that sockets of all nodes are subscribed under, as a JSON array in order.
    static func presence(in topic: Topic, on server: Server) -> Reply {
        .deferred { json(try await server.presence(of: topic).map(\.id).sorted()) }
    }

    /// `POST /publish/T`: publishes the body, as text if it is UTF-8, and says what came of it: `{"result":"sent"}`,
    /// `"backpressure"` or `"dropped"`.
    ///
    /// It is published by a thread that is no loop, as a program's work beside its sockets does it: `Scripts/chaos`
    /// looks at the order of such messages among those of sockets.
    static func publish(_ request: borrowing Request, to topic: Topic, from origin: OriginPolicy) -> Reply {
        // A form of any page can be sent here, and the browser asks nobody before.
        guard origin.permits(origin: request.header(.origin), host: request.host) else {
            return .response(.forbidden, "pages of other sites may not publish, unless --origin any is given\n")
        }
        let (server, bytes) = (request.server, request.bytes)
        return .deferred {
            let result = await withTaskExecutorPreference(globalConcurrentExecutor) {
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    return server.publish(bytes, to: topic)
                }
                return server.publish(text, to: topic)
            }
            return json(["result": result.word])
        }
    }

    private static func json(_ value: some Encodable) -> Reply {
        guard let text = try? JSON.text(value) else { return .response(.internalServerError) }
        return .response(
            .ok, text + "\n", headers: [.contentType: "application/json", .cacheControl: "no-store"])
    }
}

extension SendResult {
    fileprivate var word: String {
        switch self {
        case .sent: "sent"
        case .backpressure: "backpressure"
        case .dropped: "dropped"
        }
    }
}
