import PubSub
import ReactorTesting
import SimulatedKernel
import WebSocketProtocol

@testable import Ringcast

/// A client of a simulated world: bytes that the test makes (`RawClient`), or Ringcast's own client (`UserClient`).
protocol SimulatedClient: AnyObject {
    var id: Int { get }
    /// It has not ended its side, nor cut the connection, nor heard a Close.
    var isWell: Bool { get set }
    /// Whether what it says is said.
    var canSpeak: Bool { get }
    var transcript: Transcript { get }
    /// Whether bytes or ends are under way that `carry` would move.
    var isBusy: Bool { get }

    /// Says what a socket's words mean, with the number of its saying.
    func say(_ words: String, _ random: inout SeededGenerator)
    /// Lets the network carry so many bytes each way, and reads.
    func carry(atMost count: Int)
    /// Lets the network carry all that this client takes by itself, and says whether it was busy before.
    func carryWhatIsRead() -> Bool
    /// Breaks the connection off at this byte, or ends it in order.
    func breakOff(_ random: inout SeededGenerator)
    /// Takes everything from now on.
    func openUp()
}

/// What a client has been told, in order.
final class Transcript {
    let id: Int
    let ledger: SimulationLedger
    private(set) var publications: [Publication] = []
    private var last: [Publication.Stream: Int] = [:]
    /// The number of the last letter by sender.
    private var lastLetters: [Int: Int] = [:]

    init(_ id: Int, _ ledger: SimulationLedger) { (self.id, self.ledger) = (id, ledger) }

    func note(_ text: String) {
        ledger.received(id, text)
        if let publication = Publication(text) {
            // Who resumes may hear some once more; the ledger knows what has to come.
            if publication.isKept { return }
            note(
                publication.sequence, publication,
                behind: last.updateValue(publication.sequence, forKey: publication.stream))
            publications.append(publication)
        } else if let letter = Letter(text) {
            note(letter.number, letter, behind: lastLetters.updateValue(letter.number, forKey: letter.sender))
        }
    }

    private func note(_ number: Int, _ message: some CustomStringConvertible, behind last: Int?) {
        if let last, number <= last { ledger.complain("socket \(id) got \(message) behind \(last)") }
    }
}

/// A client that is bytes: handshake, masked frames, and frames read from what comes.
final class RawClient: SimulatedClient {
    let id: Int
    let transcript: Transcript
    var isWell = true
    private let peer: SimulatedPeer
    private let ledger: SimulationLedger
    private var unread: [UInt8] = []
    private var isOpen = false
    /// The connection was reset, and the rest of what was under way is gone.
    private var isLost = false

    init(id: Int, peer: SimulatedPeer, _ ledger: SimulationLedger, _ random: inout SeededGenerator) {
        (self.id, self.peer, self.ledger) = (id, peer, ledger)
        transcript = Transcript(id, ledger)
        if random.oneIn(2) { peer.window = 129 + Int.random(in: 0...30_000, using: &random) }
        peer.send(Self.handshakeStart + "\(id)".utf8 + Self.handshakeRest)
    }

    private static let handshakeStart = Array("GET /".utf8)
    private static let handshakeRest = Array(SocketClient.request(path: "").utf8.dropFirst(4))

    var isBusy: Bool { !peer.receivedBytes.isEmpty }
    var canSpeak: Bool { isWell }

    func say(_ words: String, _ random: inout SeededGenerator) {
        guard isWell else { return }
        peer.send(SocketClient.encode(.text, Array("\(ledger.saying(id)) \(words)".utf8)))
        if random.oneIn(10) { peer.send(SocketClient.encode(.ping, [1, 2, 3])) }
    }

    func carry(atMost count: Int) {
        peer.makeRoom(count)
        read()
    }

    func carryWhatIsRead() -> Bool {
        let wasBusy = isBusy
        read()
        return wasBusy
    }

    func openUp() { peer.window = .max }

    func breakOff(_ random: inout SeededGenerator) {
        guard isWell else { return }
        ledger.failed(id)
        isWell = false
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            peer.reset()
            // What is under way comes as far as any byte of it.
            if ledger.histories != nil, random.oneIn(2) { loseSome(&random) }
        case 1: peer.end()
        case 2:
            peer.send(SocketClient.encode(.close, [0x03, 0xE8]))
            if random.oneIn(2) { peer.end() }
        default:
            // A part of a frame, and nothing more.
            let frame = SocketClient.encode(.text, Array("1 e half".utf8))
            peer.send(Array(frame.prefix(Int.random(in: 1..<frame.count, using: &random))))
            peer.end()
        }
    }

    /// Reads as much of what has come as chance will have it, and loses the rest.
    private func loseSome(_ random: inout SeededGenerator) {
        let bytes = peer.takeReceivedBytes()
        read(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random))))
        isLost = true
    }

    private static func endOfHead(in bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for end in 4...bytes.count where bytes[end - 1] == 10 && bytes[end - 2] == 13 && bytes[end - 3] == 10 {
            return end
        }
        return nil
    }

    /// Reads whole frames of what has come.
    func read() { read(peer.takeReceivedBytes()) }

    private func read(_ bytes: [UInt8]) {
        if peer.wasRefused || peer.isClosed { isWell = false }
        guard !bytes.isEmpty, !isLost else { return }
        unread += bytes
        if !isOpen {
            guard let end = Self.endOfHead(in: unread) else { return }
            isOpen = unread.starts(with: "HTTP/1.1 101".utf8)
            unread.removeFirst(end)
            guard isOpen else { return isWell = false }
        }
        for frame in SocketClient.Frame.takeWhole(from: &unread) {
            switch frame.opcode {
            case .close:
                // Whatever the reason, the server owes nothing behind its Close.
                isWell = false
                ledger.heardClose(id, reason: frame.closeReason)
            case .ping: if isWell { peer.send(SocketClient.encode(.pong, frame.payload)) }
            case .text: transcript.note(frame.text)
            default: break
            }
        }
    }
}
