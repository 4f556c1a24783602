public import HTTPTypes

extension Reply {
    /// The status: of an upgrade 101, of a file and of a deferred reply nil, since it is not known yet.
    public var status: HTTPResponse.Status? {
        switch kind {
        case .response(let response): response.status
        case .stream(let response): response.status
        case .events: .ok
        case .upgrade: .switchingProtocols
        case .file, .deferred: nil
        }
    }

    /// The reply with its headers changed; a deferred one when it comes. Costs a copy of the headers. Those that belong
    /// to the framing or to the handshake are left out when it is sent, as always.
    /// - Parameter change: called at once, or on the loop of the connection when a deferred reply comes.
    public func changing(_ change: @escaping @Sendable (inout HTTPFields) -> Void) -> Reply {
        then { reply in
            switch reply.kind {
            case .response(var response):
                change(&response.headers)
                return Reply(kind: .response(response), observer: reply.observer)
            case .stream(var response):
                change(&response.headers)
                return Reply(kind: .stream(response), observer: reply.observer)
            case .events(var events):
                change(&events.headers)
                return Reply(kind: .events(events), observer: reply.observer)
            case .file(var file):
                change(&file.headers)
                return Reply(kind: .file(file), observer: reply.observer)
            case .upgrade(var upgrade):
                change(&upgrade.headers)
                return Reply(kind: .upgrade(upgrade), observer: reply.observer)
            case .deferred: return reply
            }
        }
    }

    /// The reply with one header set, in place of what it had of that name; a deferred one when it comes.
    public func setting(_ name: HTTPField.Name, to value: String) -> Reply { changing { $0[name] = value } }

    /// What `change` makes of the reply, for middleware that looks at replies or takes others instead: called at once,
    /// and for a deferred reply when it comes, on the connection's loop. It is never given a deferred one.
    public func then(_ change: @escaping @Sendable (Reply) -> Reply) -> Reply {
        var result: Reply
        if case .deferred(let body, let timeout) = kind {
            result = .deferred(within: timeout) {
                do {
                    return try await body().then(change)
                } catch let thrown as Reply {
                    return thrown.then(change)
                }
            }
        } else {
            result = change(self)
        }
        // Who waits for the answer hears of it, whatever has become of this reply.
        if result.observer == nil { result.observer = observer }
        return result
    }
}
