import ArgumentParser
import Ringcast

/// What `ringcast serve` allows its clients, and how long it takes to end.
struct BoundOptions: ParsableArguments {
    @Option(help: "Connections that may be open at once; others get 503. As many as there are descriptors if left out.")
    var maxConnections: Int?

    @Option(help: "Connections of one remote address that may be open at once; others get 503.")
    var maxConnectionsPerAddress: Int?

    @Option(help: "Messages a second that one socket may send; it is not read for a while when it sends more.")
    var maxMessageRate: Int?

    @Option(help: "Bytes of messages a second that one socket may send.")
    var maxByteRate: Int?

    @Flag(help: "Close sockets that exceed their rate with 1008 instead.")
    var closeOnExcess = false

    @Flag(help: "Close sockets that are at their backpressure limit with 1013 instead of dropping messages.")
    var closeOnBackpressure = false

    @Option(help: "Close sockets that are so many seconds old; 0 is never.")
    var maxLifetime = 0

    @Option(help: "Cut a peer that takes nothing for so many seconds while bytes wait for it; 0 is never.")
    var writeStall = 60

    @Flag(help: "Do not ping silent peers before their idle time is over.")
    var noPings = false

    @Option(help: "At the end, close the sockets one after the other over so many seconds.")
    var stopWindow = 0.5

    @Option(help: "Cut what is left so many seconds after that; a second signal cuts at once.")
    var stopTimeout = 5.0

    func check() throws {
        let counts = [
            ("--max-connections", maxConnections), ("--max-connections-per-address", maxConnectionsPerAddress),
            ("--max-message-rate", maxMessageRate), ("--max-byte-rate", maxByteRate),
        ]
        for case (let name, let value?) in counts where !(1...1 << 40 ~= value) {
            throw ValidationError("\(name) \(value) is out of range: choose 1 or more")
        }
        for (name, value) in [("--max-lifetime", maxLifetime), ("--write-stall", writeStall)]
        where !(0...31_536_000 ~= value) {
            throw ValidationError("\(name) is 0 to 31536000 seconds")
        }
        for (name, value) in [("--stop-window", stopWindow), ("--stop-timeout", stopTimeout)]
        where !(0...86_400 ~= value) {
            throw ValidationError("\(name) is 0 to 86400 seconds")
        }
    }

    func apply(to options: inout WebSocketOptions) {
        options.closeOnBackpressureLimit = closeOnBackpressure
        options.maxLifetime = .seconds(maxLifetime)
        options.writeStallTimeout = .seconds(writeStall)
        options.sendPings = !noPings
        guard maxMessageRate != nil || maxByteRate != nil else { return }
        options.messageRate = MessageRateLimit(
            messagesPerSecond: maxMessageRate, bytesPerSecond: maxByteRate, excess: closeOnExcess ? .close : .pause)
    }

    func apply(to configuration: inout ServerConfiguration) {
        configuration.limits.connections = maxConnections
        configuration.limits.connectionsPerAddress = maxConnectionsPerAddress
        configuration.stop = StopTiming(window: .seconds(stopWindow), deadline: .seconds(stopTimeout))
    }
}
