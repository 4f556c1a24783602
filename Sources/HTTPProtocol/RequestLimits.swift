/// The bounds within which a request is read. Whatever is over one of them is refused as soon as that can be known.
package struct RequestLimits: Hashable, Sendable {
    /// Bytes of the head, from its first byte to the end of the blank line; a longer one is refused with 431.
    package var headBytes: Int
    /// Field lines in the head; more are refused with 431.
    package var fieldCount: Int
    /// Bytes of the request target; a longer one is refused with 414.
    package var targetBytes: Int
    /// Bytes of the body, without the framing of its chunks; a longer one is refused with 413.
    package var bodyBytes: Int

    package init(
        headBytes: Int = 16 * 1024, fieldCount: Int = 100, targetBytes: Int = 8 * 1024, bodyBytes: Int = 1024 * 1024
    ) {
        precondition(headBytes > 0 && fieldCount > 0 && targetBytes > 0 && bodyBytes >= 0)
        self.headBytes = headBytes
        self.fieldCount = fieldCount
        self.targetBytes = targetBytes
        self.bodyBytes = bodyBytes
    }
}
