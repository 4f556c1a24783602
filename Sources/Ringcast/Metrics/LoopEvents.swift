// Ringcast/Metrics: what a server counts beside its messages, and how all of it is shown: `LoopEvents` counts,
// `MetricCatalogue` names, `PrometheusText` writes. What is counted for each message is in `Server/LoopCounters.swift`.

import HTTPTypes
import PubSub
import Reactor
import WebSocketProtocol

/// What happens on a loop too seldom to be copied in every turn. Written by the loop, with plain instructions; readable
/// from any thread.
final class LoopEvents: Sendable {
    /// Handshakes that were answered with 101.
    let upgrades = Counter()
    /// Connections for which the server's bounds had no room.
    let refusedConnections = Counter()
    let refusedUpgrades = CounterRow<UpgradeRefusal>()
    /// Answers to requests, by the first digit of their status.
    let responses = CounterRow<ResponseClass>()
    let closesSent = CounterRow<CloseClass>()
    /// Close frames that came; 1006 counts the sockets that ended without one.
    let closesReceived = CounterRow<CloseClass>()
    /// Subscriptions that were to go on after a position.
    let resumptions = CounterRow<ResumptionResult>()
    /// Sockets that subscribed as somebody for whom there was no room in the list.
    let refusedPresences = Counter()
}

/// A counter for each case of an enum.
struct CounterRow<Key: CaseIterable & RawRepresentable<Int> & Sendable>: Sendable {
    private let counters = Key.allCases.map { _ in Counter() }

    func count(_ key: Key) { counters[key.rawValue].add(1) }

    subscript(key: Key) -> Int { counters[key.rawValue].value }
}

enum ResumptionResult: Int, CaseIterable, Sendable {
    case resumed, gap

    /// Nil for a subscription without a position.
    init?(_ resumption: Resumption) {
        switch resumption {
        case .resumed: self = .resumed
        case .gap: self = .gap
        case .new, .resuming, .unchanged: return nil
        }
    }

    var label: String { self == .resumed ? "resumed" : "gap" }
}

/// Why there was no WebSocket.
enum UpgradeRefusal: Int, CaseIterable, Sendable {
    case method, badRequest, upgradeRequired, origin, stopping, application, internalError

    init(_ refusal: HandshakeRefusal) {
        self =
            switch refusal.status {
            case 403: .origin
            case 405: .method
            case 426: .upgradeRequired
            default: .badRequest
            }
    }

    var label: String {
        switch self {
        case .method: "method"
        case .badRequest: "bad_request"
        case .upgradeRequired: "upgrade_required"
        case .origin: "origin"
        case .stopping: "stopping"
        case .application: "application"
        case .internalError: "internal_error"
        }
    }
}

enum ResponseClass: Int, CaseIterable, Sendable {
    case informational, successful, redirection, clientError, serverError

    var label: String { "\(rawValue + 1)xx" }
}

extension CounterRow<ResponseClass> {
    func count(_ status: HTTPResponse.Status) {
        if let key = ResponseClass(rawValue: status.code / 100 - 1) { count(key) }
    }
}

/// The close codes of RFC 6455 one by one, the others in three classes: peers can choose them, and a metric has no
/// more series than it names.
enum CloseClass: Int, CaseIterable, Sendable {
    case c1000, c1001, c1002, c1003, c1004, c1005, c1006, c1007, c1008, c1009, c1010, c1011, c1012, c1013, c1014, c1015
    case registered, applications, other

    init(_ code: CloseCode) {
        self =
            switch code.rawValue {
            case 1000...1015: CloseClass(rawValue: Int(code.rawValue) - 1000) ?? .other
            case 3000...3999: .registered
            case 4000...4999: .applications
            default: .other
            }
    }

    var label: String {
        switch self {
        case .registered: "3000-3999"
        case .applications: "4000-4999"
        case .other: "other"
        default: "\(1000 + rawValue)"
        }
    }
}

extension CounterRow<CloseClass> {
    func count(_ code: CloseCode) { count(CloseClass(code)) }
}
