public import HTTPTypes
public import PubSub

extension Reply {
    /// A stream of server-sent events (`text/event-stream`): the messages of a topic, from now on, for clients without
    /// WebSocket: `new EventSource("/news").onmessage = event => …` in a page.
    ///
    /// A text message is an event with a `data` line for each of its lines, so that its line ends, whichever they are,
    /// come out as LF. A binary message is an event of type `binary` whose data is its base64:
    /// `source.addEventListener("binary", …)`. What the topic retains comes first. An event is made once per message
    /// and loop, whatever the number of streams.
    ///
    /// The stream is a subscriber as WebSockets are: counted by `subscriberCount`, in their order, its queue bounded
    /// and the topic's slow-consumer policy applied, drops counted. It is no request that is awaited, and reads nothing
    /// more: it ends with the connection, when the client leaves, when the policy closes it, or when the server stops.
    /// HEAD gets the head alone. Comments and bounds are in `ServerConfiguration.events`.
    /// Of a topic with history each event has its position as `id`. A client that comes again, as `EventSource` does by
    /// itself, names the last one as `Last-Event-ID`, and gets what it has missed; if something of that is gone, an
    /// event of type `gap` instead.
    /// - Parameters:
    ///   - topic: one that is empty or too long is a programming error, which is logged and answered with 500.
    ///   - headers: added to `Content-Type`, `Cache-Control: no-store` and `X-Accel-Buffering: no` (nginx holds nothing
    ///     back then); those that are given take the place of these.
    public static func events(of topic: Topic, headers: HTTPFields = [:]) -> Reply {
        Reply(kind: .events(EventsResponse(topic: topic, headers: headers)))
    }

    /// A stream of the events of the topic of that name.
    @_disfavoredOverload
    public static func events(of topic: String, headers: HTTPFields = [:]) -> Reply {
        events(of: Topic(topic), headers: headers)
    }
}

/// A stream of a topic's events before its head is encoded.
struct EventsResponse: Sendable {
    let topic: Topic
    var headers: HTTPFields

    init(topic: Topic, headers: HTTPFields) {
        self.topic = topic
        self.headers = headers
        for (name, value) in [
            (HTTPField.Name.contentType, "text/event-stream"), (.cacheControl, "no-store"), (.accelBuffering, "no"),
        ] where headers[name] == nil { self.headers[name] = value }
    }
}

extension HTTPField.Name {
    fileprivate static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
