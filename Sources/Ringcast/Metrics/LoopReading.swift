import Reactor

/// What one loop has counted, as of a look at it: where all metrics come from.
struct LoopReading {
    let index: Int
    let counters: LoopCounters
    let events: LoopEvents
    let loop: LoopStatistics
    let mailboxDepth: Int
}

extension SocketCore {
    /// The metrics of loops, a reading of each.
    static func metrics(of loops: [LoopReading], driver: DriverKind) -> [MetricFamily] {
        [MetricCatalogue.info(driver)] + MetricCatalogue.shared.definitions.map { $0.family(of: loops) }
    }
}

extension Server {
    /// What the server counts, under names for Prometheus; docs/metrics.md has the list.
    ///
    /// Costs some loads per loop and metric, and no loop anything: they publish what they count once per turn, whether
    /// or not somebody looks. Each figure is true of a moment of its own. Any thread.
    public var metrics: [MetricFamily] {
        let readings = core.counters.enumerated().map { index, counters in
            LoopReading(
                index: index, counters: counters.load(), events: counters.events, loop: group.statistics(of: index),
                mailboxDepth: group.mailboxDepth(of: index))
        }
        return SocketCore.metrics(of: readings, driver: group.driver) + (clusterStatistics?.metrics ?? [])
    }
}

extension Reply {
    /// A server's metrics as Prometheus scrapes them (text, version 0.0.4), at whatever path you give them. They say a
    /// lot about a server: serve them to those who may know it.
    /// - Parameters:
    ///   - server: whose; `request.server` for the one that is asked.
    ///   - families: metrics of your own, whose names do not begin with `ringcast_`.
    public static func metrics(of server: Server, adding families: [MetricFamily] = []) -> Reply {
        .response(
            .ok, PrometheusText.render(server.metrics + families),
            headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"])
    }
}
