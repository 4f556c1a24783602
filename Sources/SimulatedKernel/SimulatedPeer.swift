internal import Glibc
package import Reactor

/// The other end of a connection, played by the test; and the socket between the two.
package final class SimulatedPeer {
    /// Where the loop takes it to be; nil: nowhere, as one that is gone.
    package var address: SocketAddress?
    /// Bytes that the socket still takes from the loop before it is full.
    package var window = Int.max
    /// Bytes that the socket has taken and the peer has not, as the loop is told.
    package var untakenByteCount = 0
    /// Everything that the loop has sent, in order.
    package private(set) var receivedBytes: [UInt8] = []
    /// The loop's FIN has come.
    package internal(set) var hasSeenEnd = false
    /// The loop's reset has come: it closed with input unread, or wanted it so.
    package private(set) var hasSeenReset = false
    /// The loop has closed its descriptor.
    package private(set) var isClosed = false
    /// The listener was closed before it was accepted.
    package internal(set) var wasRefused = false
    /// The loop's descriptor; nil until it is accepted.
    package internal(set) var descriptor: Int32?

    /// Bytes of this peer that the loop has not received.
    package var unreadByteCount: Int { inbox.count - inboxStart }

    /// What an outbound connection to this peer comes to: 0, or an errno; nil: nothing yet, for ever.
    package var connectResult: Int32?

    private var inbox: [UInt8] = []
    private var inboxStart = 0
    private var hasEnded = false
    private(set) var hasReset = false
    private(set) var resetError = ECONNRESET
    private(set) var isShutDown = false
    /// Whether the loop's close is to be a reset.
    var isReset = false

    // What the loop has in flight here.
    var connect: Token?
    var hasConnect = false
    var receive: (token: Token, size: ReceiveBufferSize)?
    var send: SimulatedSend?
    /// Whether the loop has asked for one and does not know yet that it is over.
    var hasReceive = false
    var hasSend = false

    init() {}

    /// Writes to the loop.
    package func send(_ bytes: [UInt8]) {
        precondition(!hasEnded && !hasReset, "this peer has ended its side")
        inbox += bytes
    }

    /// Sends FIN; the peer still reads.
    package func end() { hasEnded = true }

    /// Cuts the connection.
    /// - Parameter error: what the loop's receive is told (errno), which is not the peer's word when a network fails.
    package func reset(_ error: Int32 = ECONNRESET) {
        hasReset = true
        resetError = error
    }

    /// Reads `count` bytes, so that the socket has room for as many more.
    package func makeRoom(_ count: Int) {
        let sum = window.addingReportingOverflow(count)
        window = sum.overflow ? .max : sum.partialValue
    }

    /// Forgets what has been received.
    package func takeReceivedBytes() -> [UInt8] {
        defer { receivedBytes = [] }
        return receivedBytes
    }
}

// MARK: the socket

extension SimulatedPeer {
    /// It has ended its side, or cut the connection.
    var isGone: Bool { hasEnded || hasReset }

    var inputIsOver: Bool { hasEnded && unreadByteCount == 0 }

    func readInput(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, unreadByteCount)
        unsafe buffer.copyBytes(from: inbox[inboxStart..<inboxStart + count])
        inboxStart += count
        if inboxStart == inbox.count { (inbox, inboxStart) = ([], 0) }
        return count
    }

    /// Takes what there is room for.
    func take(_ pieces: [UnsafeRawBufferPointer]) -> Int {
        var taken = 0
        let count = unsafe pieces.count
        for index in 0..<count {
            let piece = unsafe pieces[index]
            let count = min(piece.count, window)
            unsafe receivedBytes.append(contentsOf: piece[..<count])
            if window != .max { window -= count }
            taken += count
            if count < piece.count { break }
        }
        return taken
    }

    func shutDownWriting() {
        law(!isShutDown, "the same socket was shut down twice")
        isShutDown = true
        hasSeenEnd = true
    }

    func closeSocket() {
        isClosed = true
        if unreadByteCount > 0 || isReset { hasSeenReset = true } else { hasSeenEnd = true }
    }
}

/// An ordinary send under way: its pieces are borrowed until it completes.
@safe
struct SimulatedSend {
    let token: Token
    let pieces: [UnsafeRawBufferPointer]
}
