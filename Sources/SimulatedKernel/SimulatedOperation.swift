internal import Reactor

/// What the loop has asked for.
@safe
enum SimulatedOperation {
    case accept(listener: Int32, Token)
    case connect(Int32, Token)
    case receive(Int32, ReceiveBufferSize, Token)
    case send(Int32, SimulatedMessage, Token, isBatched: Bool)
    case cancel(Token, answer: Token)
    case shutdownWriting(Int32)
    case close(Int32)
}

/// A send's pieces, as they were when it was asked for and as they are when it is handed over: the kernel may look at
/// either time, so that they have to be the same.
@safe
struct SimulatedMessage {
    private let vector: SendPieces
    private let piecesAtFirst: [UnsafeRawBufferPointer]

    init(_ vector: SendPieces) {
        unsafe self.vector = unsafe vector
        unsafe piecesAtFirst = unsafe Self.pieces(of: vector)
    }

    var pieces: [UnsafeRawBufferPointer] {
        let pieces = unsafe Self.pieces(of: vector)
        unsafe law(
            pieces.elementsEqual(piecesAtFirst) {
                unsafe $0.baseAddress == $1.baseAddress && $0.count == $1.count
            }, "a send was changed before it was handed over")
        return unsafe pieces
    }

    private static func pieces(of vector: SendPieces) -> [UnsafeRawBufferPointer] {
        let count = unsafe vector.count
        law(count > 0 && count <= 1024, "a send has \(count) pieces")
        return unsafe (0..<count).map { unsafe vector[$0] }
    }
}
