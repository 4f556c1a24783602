import Logging
package import Ringcast

/// What all workers of a load share, and none of them changes.
package struct LoadSetup: Sendable {
    package let plan: LoadPlan
    package let group: ClientGroup
    package let clock: LoadClock
    /// Every connection's request, without a local address.
    private let base: ClientRequest

    init(plan: LoadPlan, clock: LoadClock) throws(LoadFailure) {
        self.plan = plan
        self.clock = clock
        if plan.url.isEmpty { throw LoadFailure("--url is empty; an address is written like ws://127.0.0.1:3000/echo") }
        do throws(WebSocketClientError) {
            var base = try ClientRequest(LoadPlan.address(plan.url, topic: 0))
            base.handshakeTimeout = .seconds(plan.connectTimeout)
            base.headers = plan.headers
            if plan.insecure { base.tls.trust = .anybody }
            self.base = base
            _ = try ClientRequest(LoadPlan.address(plan.publishURL, topic: 0))
        } catch {
            throw LoadFailure("\(error); an address is written like ws://127.0.0.1:3000/echo")
        }
        // Connections' errors are counted, and the first one is told: nothing is logged.
        var logger = Logger(label: "ringcast.load")
        logger.logLevel = .critical
        do throws(WebSocketClientError) {
            group = try ClientGroup(
                configuration: ClientGroupConfiguration(
                    loops: .count(plan.loops), pinsThreads: plan.pinsThreads,
                    stop: StopTiming(window: .zero, deadline: .seconds(1)), logger: logger))
        } catch {
            throw LoadFailure("\(error)")
        }
    }

    /// Limits that do not get in the way of a load, nor let what waits for a server that takes nothing fill the memory.
    var socketOptions: WebSocketOptions {
        let share = min(1 << 30, (2 << 30) / plan.totalConnections)
        let outstanding = max(plan.depth, plan.window) * (plan.largestMessage + 64)
        return WebSocketOptions(
            maxPayloadLength: 64 << 20, backpressureLimit: max(1 << 20, share, outstanding), idleTimeout: .zero,
            sendPings: false, closeTimeout: .seconds(5), perMessageDeflate: plan.compress ? true : false)
    }

    /// The request of connection `number`.
    func request(_ pattern: String, topic: Int = 0, number: Int) -> ClientRequest {
        var request = base
        // `init` has accepted this URL with another topic's number.
        if let url = try? WebSocketURL(LoadPlan.address(pattern, topic: topic)) { request.url = url }
        if plan.sources > 0 { request.localAddress = Self.source(number % plan.sources) }
        return request
    }

    /// The loopback address with this index, counted from 127.0.0.2.
    package static func source(_ index: Int) -> String {
        let number = index + 2
        return "127.\(number >> 16 & 0xFF).\(number >> 8 & 0xFF).\(number & 0xFF)"
    }

    /// The URL of another path of the plan's server.
    func base(path: String) -> String {
        guard let scheme = plan.url.firstRange(of: "://") else { return plan.url }
        let end = plan.url[scheme.upperBound...].firstIndex { $0 == "/" || $0 == "?" } ?? plan.url.endIndex
        return plan.url[..<end] + path
    }
}
