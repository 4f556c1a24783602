/// `uri-host [ ":" port ]` (RFC 9112 §3.2, RFC 3986 §3.2.2): what a `Host` and the authority of a target have to be.
///
/// A value that breaks this grammar is read differently by proxies, caches and whoever compares it with an `Origin`.
extension RawSpan {
    /// Whether the bytes are a host, with or without a port. The host itself is not empty (RFC 9110 §4.2.1); the port
    /// may be (RFC 3986 §3.2.3).
    func isHostAndPort(_ range: Range<Int>) -> Bool {
        let end: Int?
        if !range.isEmpty, self[range.lowerBound] == UInt8(ascii: "[") {
            end = endOfLiteral(range)
        } else {
            end = endOfRegisteredName(range)
        }
        guard let end, end > range.lowerBound else { return false }
        if end == range.upperBound { return true }
        return self[end] == UInt8(ascii: ":")
            && (end + 1..<range.upperBound).allSatisfy { self[$0].decimalDigit != nil }
    }

    /// `reg-name = *( unreserved / pct-encoded / sub-delims )`; every IPv4 address is one as well. The offset
    /// behind it; nil at a broken escape.
    private func endOfRegisteredName(_ range: Range<Int>) -> Int? {
        var position = range.lowerBound
        while position < range.upperBound {
            if self[position] == UInt8(ascii: "%") {
                guard position + 2 < range.upperBound, self[position + 1].hexadecimalDigit != nil,
                    self[position + 2].hexadecimalDigit != nil
                else { return nil }
                position += 3
            } else if self[position].isRegisteredName {
                position += 1
            } else {
                break
            }
        }
        return position
    }

    /// `IP-literal = "[" ( IPv6address / IPvFuture ) "]"`; the offset behind it. A zone (RFC 6874) means something to
    /// its sender alone, and is refused.
    private func endOfLiteral(_ range: Range<Int>) -> Int? {
        guard let bracket = firstOffset(of: UInt8(ascii: "]"), in: range) else { return nil }
        let inner = (range.lowerBound + 1)..<bracket
        return isIPv6Address(inner) || isFutureAddress(inner) ? bracket + 1 : nil
    }

    /// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`.
    private func isFutureAddress(_ range: Range<Int>) -> Bool {
        guard let first = range.first, self[first].lowercasedASCII == UInt8(ascii: "v"),
            let point = firstOffset(of: UInt8(ascii: "."), in: range)
        else { return false }
        let version = (first + 1)..<point
        let address = (point + 1)..<range.upperBound
        return !version.isEmpty && version.allSatisfy { self[$0].hexadecimalDigit != nil } && !address.isEmpty
            && address.allSatisfy { self[$0].isRegisteredName || self[$0] == UInt8(ascii: ":") }
    }

    /// Eight groups of up to four hexadecimal digits, the last two of which may be an IPv4 address; one `::` stands for
    /// one group of zeros or more.
    private func isIPv6Address(_ range: Range<Int>) -> Bool {
        var position = range.lowerBound
        var groupCount = 0
        var isShortened = false
        if hasColons(at: position, in: range) {
            isShortened = true
            position += 2
        }
        while position < range.upperBound {
            let end = (position..<range.upperBound).first { self[$0].hexadecimalDigit == nil } ?? range.upperBound
            if end < range.upperBound, self[end] == UInt8(ascii: ".") {
                guard isIPv4Address(position..<range.upperBound) else { return false }
                groupCount += 2
                position = range.upperBound
                break
            }
            guard 1...4 ~= end - position else { return false }
            groupCount += 1
            position = end
            if position == range.upperBound { break }
            if hasColons(at: position, in: range) {
                guard !isShortened else { return false }
                isShortened = true
                position += 2
            } else {
                // A colon, and another group behind it.
                guard self[position] == UInt8(ascii: ":"), position + 1 < range.upperBound else { return false }
                position += 1
            }
        }
        return isShortened ? groupCount <= 7 : groupCount == 8
    }

    private func hasColons(at offset: Int, in range: Range<Int>) -> Bool {
        offset + 1 < range.upperBound && self[offset] == UInt8(ascii: ":") && self[offset + 1] == UInt8(ascii: ":")
    }

    /// Four numbers up to 255, without leading zeros.
    private func isIPv4Address(_ range: Range<Int>) -> Bool {
        var position = range.lowerBound
        for index in 0..<4 {
            if index > 0 {
                guard position < range.upperBound, self[position] == UInt8(ascii: ".") else { return false }
                position += 1
            }
            let start = position
            var number = 0
            while position < range.upperBound, position - start < 3, let digit = self[position].decimalDigit {
                number = number * 10 + digit
                position += 1
            }
            let length = position - start
            guard length > 0, number <= 255, length == 1 || self[start] != UInt8(ascii: "0") else { return false }
        }
        return position == range.upperBound
    }
}
