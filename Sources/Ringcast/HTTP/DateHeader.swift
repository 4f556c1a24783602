import Glibc
import HTTPProtocol

/// The `Date` header's value, made once a second.
struct DateHeader {
    private var value = ""
    private var second: UInt64 = .max

    /// - Parameter now: the loop's milliseconds.
    mutating func value(at now: UInt64) -> String {
        guard now / 1_000 != second else { return value }
        second = now / 1_000
        value = HTTPDate(secondsSince1970: time(nil)).description
        return value
    }
}
