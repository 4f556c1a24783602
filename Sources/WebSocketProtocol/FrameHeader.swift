/// The header of a frame to send (RFC 6455 §5.2). Servers give no mask; clients give a new one for every frame.
///
/// A header is only written here. `MaskingKey.mask(_:to:)` masks the payload behind it.
public struct FrameHeader: Hashable, Sendable {
    @usableFromInline let firstByte: UInt8
    @usableFromInline let payloadLength: Int
    @usableFromInline let mask: MaskingKey?

    /// - Precondition: `payloadLength` is not negative.
    @inlinable
    public init(
        opcode: Opcode, isFinal: Bool = true, isCompressed: Bool = false, payloadLength: Int, mask: MaskingKey? = nil
    ) {
        precondition(payloadLength >= 0, "a payload cannot have a negative length")
        firstByte = opcode.rawValue | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0)
        self.payloadLength = payloadLength
        self.mask = mask
    }

    /// Bytes that `write(into:)` writes: 2, 4 or 10, and 4 more with a mask.
    @inlinable public var encodedLength: Int {
        FrameHeader.encodedLength(payloadLength: payloadLength) + (mask == nil ? 0 : 4)
    }

    /// Bytes of a header without mask, the length being encoded in the fewest bytes (§5.2).
    @inlinable package static func encodedLength(payloadLength: Int) -> Int {
        payloadLength <= 125 ? 2 : payloadLength <= 0xFFFF ? 4 : 10
    }

    /// Writes the header over the first `encodedLength` bytes.
    @inlinable @inline(__always) public func write(into bytes: inout MutableRawSpan) {
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        bytes.storeBytes(of: firstByte, as: UInt8.self)
        let keyOffset: Int
        if payloadLength <= 125 {
            bytes.storeBytes(of: maskBit | UInt8(payloadLength), toByteOffset: 1, as: UInt8.self)
            keyOffset = 2
        } else if payloadLength <= 0xFFFF {
            bytes.storeBytes(of: maskBit | 126, toByteOffset: 1, as: UInt8.self)
            bytes.storeBytes(of: UInt16(payloadLength).bigEndian, toByteOffset: 2, as: UInt16.self)
            keyOffset = 4
        } else {
            bytes.storeBytes(of: maskBit | 127, toByteOffset: 1, as: UInt8.self)
            bytes.storeBytes(of: UInt64(payloadLength).bigEndian, toByteOffset: 2, as: UInt64.self)
            keyOffset = 10
        }
        if let mask { bytes.storeBytes(of: mask.rawValue, toByteOffset: keyOffset, as: UInt32.self) }
    }

    /// Writes the header to memory that holds at least `encodedLength` bytes: for a cork, whose room is a pointer.
    @inlinable @inline(__always) package func write(to pointer: UnsafeMutableRawPointer) {
        // Safe as far as the caller keeps its promise: the span ends where the header ends.
        var bytes = unsafe MutableRawSpan(_unsafeStart: pointer, byteCount: encodedLength)
        write(into: &bytes)
    }
}
