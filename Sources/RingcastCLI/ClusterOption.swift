import ArgumentParser
import Ringcast
import RingcastCluster

/// The engine over which several servers share their topics: `redis://cache:6379`, `nats://user:password@bus`.
struct ClusterOption: ExpressibleByArgument {
    let cluster: Cluster

    /// Nil for a URL of no engine that there is. The rest of it the server judges.
    init?(argument: String) {
        switch argument.prefix(while: { $0 != ":" }) {
        case "redis", "rediss": cluster = .redis(argument)
        case "nats", "tls": cluster = .nats(argument)
        default: return nil
        }
    }
}
