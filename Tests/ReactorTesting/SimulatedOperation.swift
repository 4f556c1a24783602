internal import CSystemCalls
internal import Reactor

/// What the loop has asked for.
@safe
enum SimulatedOperation {
    case accept(listener: Int32, Token)
    case connect(Int32, Token)
    case receive(Int32, ReceiveBufferSize, Token)
    case send(Int32, SimulatedMessage, Token, isBatched: Bool)
    case cancel(Token, answer: Token)
    case cancelAll(Int32)
    case shutdownWriting(Int32)
    case close(Int32)
}

/// A send's pieces, as they were when it was asked for and as they are when it is handed over: the kernel may look at
/// either time, so that they have to be the same.
@safe
struct SimulatedMessage {
    let header: UnsafePointer<msghdr>
    private let piecesAtFirst: [UnsafeRawBufferPointer]

    init(_ header: UnsafePointer<msghdr>) {
        unsafe self.header = unsafe header
        unsafe piecesAtFirst = unsafe Self.pieces(of: header)
    }

    var pieces: [UnsafeRawBufferPointer] {
        let pieces = unsafe Self.pieces(of: header)
        unsafe law(
            pieces.elementsEqual(piecesAtFirst) {
                unsafe $0.baseAddress == $1.baseAddress && $0.count == $1.count
            }, "a send was changed before it was handed over")
        return unsafe pieces
    }

    private static func pieces(of header: UnsafePointer<msghdr>) -> [UnsafeRawBufferPointer] {
        let count = unsafe header.pointee.msg_iovlen
        law(count > 0 && count <= 1024, "a send has \(count) pieces")
        return unsafe (0..<count).map { index in
            let piece = unsafe header.pointee.msg_iov[index]
            return unsafe UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len)
        }
    }
}
