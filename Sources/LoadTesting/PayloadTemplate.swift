internal import Glibc

/// A payload that is written once, and stamped anew for each message.
package struct PayloadTemplate: Sendable {
    private var bytes: [UInt8]
    /// Whether the payload has room for a stamp.
    package let hasStamp: Bool

    /// - Parameter size: bytes of payload. From `Stamp.byteCount` on it begins with a stamp.
    package init(size: Int) {
        let filler = Array(
            #"{"kind":"quote","symbol":"RING","bid":101.25,"ask":101.50,"volume":4200,"venue":"loopback","note":"hi"}"#
                .utf8)
        bytes = (0..<size).map { filler[$0 % filler.count] }
        hasStamp = size >= Stamp.byteCount
    }

    /// Writes the stamp into a payload that has room for one.
    @inline(__always)
    package mutating func stamp(_ stamp: Stamp) {
        guard hasStamp else { return }
        let (first, second) = stamp.words
        unsafe bytes.withUnsafeMutableBytes {
            // Safe: there are at least 16 bytes.
            unsafe $0.storeBytes(of: first.littleEndian, toByteOffset: 0, as: UInt64.self)
            unsafe $0.storeBytes(of: second.littleEndian, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// The payload as it stands.
    package var span: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(bytes.span.bytes, borrowing: self) }
    }

    /// Whether the payload is so short that comparing it costs next to nothing.
    package var isShort: Bool { bytes.count <= 64 }

    /// Whether `other` is as long as the payload, and equal to it behind the stamp. Costs what `memcmp` does.
    @inline(__always)
    package func hasSameRest(as other: RawSpan) -> Bool {
        let start = hasStamp ? Stamp.byteCount : 0
        guard other.byteCount == bytes.count, start < bytes.count else { return other.byteCount == bytes.count }
        // Safe: both have `bytes.count` bytes, and `start` is below that.
        return unsafe other.withUnsafeBytes { theirs in
            unsafe bytes.withUnsafeBytes { ours in
                unsafe memcmp(ours.baseAddress! + start, theirs.baseAddress! + start, ours.count - start) == 0
            }
        }
    }

    /// The payload's first bytes.
    @_lifetime(borrow self)
    package func prefix(_ count: Int) -> RawSpan {
        unsafe _overrideLifetime(bytes.span.bytes.extracting(first: count), borrowing: self)
    }
}
