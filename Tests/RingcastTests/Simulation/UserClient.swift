import HTTPTypes
import PubSub
import Reactor
import ReactorTesting
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast

/// Ringcast's own client on a simulated loop, joined with the server by a wire.
///
/// `@unchecked Sendable`, because one thread turns all loops of a world.
final class UserClient: SimulatedClient, @unchecked Sendable {
    let id: Int
    let transcript: Transcript
    var isWell = true
    private let loop: SimulatedLoop
    private let ledger: SimulationLedger
    /// Bytes that may be queued before a message is refused.
    private let limit: Int
    private var wire: SimulatedWire?
    private var socket: WebSocketRef<Int>?
    private var closes = 0

    /// Begins to connect; `join` gives it a wire when its loop has asked for a socket.
    init(id: Int, isSecure: Bool, _ plan: SimulationPlan, _ ledger: SimulationLedger, on loop: SimulatedLoop) {
        (self.id, self.loop, self.ledger) = (id, loop, ledger)
        transcript = Transcript(id, ledger)
        limit = plan.clientOptions.backpressureLimit
        var request: ClientRequest
        do { request = try ClientRequest("\(isSecure ? "wss" : "ws")://10.0.0.1/\(id)") } catch {
            fatalError("\(error)")
        }
        request.handshakeTimeout = .seconds(3_600)
        request.tls.trust = .anybody
        let tls = isSecure ? Self.contexts.client(for: request.tls) : nil
        loop.ask { eventLoop in
            guard let sockets = eventLoop.installedHandler as? SocketLoop else { return }
            let upgrade = Upgrade(to: handlers(plan.clientOptions), with: id, headers: [:], subprotocol: nil)
            sockets.connect(UInt64(id), request, upgrade, tls: tls) { [weak self] _ in self?.isWell = false }
        }
    }

    private static let contexts = TLSClients()

    private func handlers(_ options: WebSocketOptions) -> WebSocketHandlers<Int> {
        WebSocketHandlers(
            options: options,
            open: { [weak self] ws in self?.socket = ws.reference },
            message: { [weak self] _, message in self?.transcript.note(message.string) },
            close: { [weak self] _, _, reason in self?.closed(reason) })
    }

    private func closed(_ reason: String) {
        closes += 1
        if closes > 1 { ledger.complain("the client's close handler of \(id) ran \(closes) times") }
        isWell = false
        ledger.heardClose(id, reason: reason)
    }

    func join(_ wire: SimulatedWire) { self.wire = wire }

    var isBusy: Bool { wire?.isBusy ?? false }
    var canSpeak: Bool { isWell && socket != nil }

    func say(_ words: String, _ random: inout SeededGenerator) {
        guard isWell, let socket else { return }
        let compress = random.oneIn(3)
        loop.ask { _ in
            let text = "\(ledger.nextSaying(id)) \(words)"
            let queued = socket.lifeline.session?.queuedMemory ?? 0
            if case .dropped = socket.send(text, compress: compress) { return }
            if queued >= limit { ledger.complain("client \(id) sent something with \(queued) bytes queued") }
            _ = ledger.saying(id)
            if random.oneIn(10) { _ = socket.ping([1, 2, 3]) }
        }
    }

    func carry(atMost count: Int) { wire?.move(atMost: count) }

    func carryWhatIsRead() -> Bool {
        let wasBusy = isBusy
        carry(atMost: .max)
        return wasBusy
    }

    func openUp() { wire?.openUp() }

    func breakOff(_ random: inout SeededGenerator) {
        guard isWell, let wire else { return }
        ledger.failed(id)
        isWell = false
        switch Int.random(in: 0..<4, using: &random) {
        case 0: wire.cut()
        case 1: wire.halfClose(towardsFar: random.oneIn(2))
        case 2: loop.ask { _ in socket?.close() }
        default: loop.ask { _ in socket?.terminate() }
        }
    }
}

/// The loops of a world's own clients.
final class SimulatedUsers {
    private let group: SimulatedGroup
    private let core: SocketCore
    var loops: [SimulatedLoop] { group.loops }

    init(_ plan: SimulationPlan, clock: VirtualClock) {
        var configuration = ServerConfiguration(port: 0)
        configuration.logger.logLevel = .critical
        let core = SocketCore(
            configuration: configuration, loopCount: plan.clientDrivers.count, resolver: Resolver(threadLimit: 0))
        self.core = core
        group = SimulatedGroup(
            drivers: plan.clientDrivers, room: plan.room, clock: clock,
            discard: { LoopMessage(unpacking: $0).discard() }, makeHandler: { SocketLoop(core: core, loop: $0) })
        core.group = group.group
    }

    deinit { core.group = nil }

    /// The loops are told to end.
    func stop() { group.group.stop() }
}
