import FuzzSupport
@testable import WebSocketProtocol

/// UTF-8 in pieces, judged as the standard library does.
enum TextValidation {
    private struct Verdict: Equatable {
        var isAccepted = true
        var isComplete = true
    }

    static func run(_ input: inout FuzzInput) {
        let bytes = input.remainder()
        let verdict = replay(bytes) { judge($0) }
        require((verdict.isAccepted && verdict.isComplete) == ReferenceText.isValid(bytes), "valid or not: \(verdict)")
        require(UTF8Validator.isValid(bytes.span.bytes) == ReferenceText.isValid(bytes), "valid or not")
        checkFirstRefusal(of: bytes)
    }

    private static func judge(_ pieces: Pieces) -> Verdict {
        var validator = UTF8Validator()
        for piece in pieces where !validator.consume(piece.span.bytes) {
            require(!validator.consume([0x41].span.bytes), "what was refused is accepted later")
            return Verdict(isAccepted: false, isComplete: false)
        }
        return Verdict(isAccepted: true, isComplete: validator.isComplete)
    }

    /// The first byte that cannot be right is refused, and none before it.
    private static func checkFirstRefusal(of bytes: [UInt8]) {
        var validator = UTF8Validator()
        guard let refused = bytes.indices.first(where: { !validator.consume([bytes[$0]].span.bytes) }) else {
            return require(ReferenceText.isBeginning(bytes), "a wrong byte is accepted")
        }
        require(ReferenceText.isBeginning(Array(bytes[..<refused])), "a wrong byte is accepted before \(refused)")
        require(!ReferenceText.isBeginning(Array(bytes[...refused])), "a right byte is refused at \(refused)")
    }
}
