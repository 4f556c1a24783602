/// A moment as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7).
///
/// Formatting allocates one string of 29 bytes; a loop does it once a second and keeps it.
package struct HTTPDate: Hashable, Sendable, CustomStringConvertible {
    /// Whole seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
    package let secondsSince1970: Int

    static let dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    /// The last second of the year 9999; the format has room for four digits.
    private static let lastSecond = 253_402_300_799

    /// A moment before 1970 or behind the year 9999 becomes the nearest that is neither.
    package init(secondsSince1970: Int) { self.secondsSince1970 = min(max(secondsSince1970, 0), Self.lastSecond) }

    package var description: String {
        let (day, second) = secondsSince1970.quotientAndRemainder(dividingBy: 86_400)
        let date = Self.civilDate(ofDay: day)
        let weekday = Self.dayNames[day % 7]
        let month = Self.monthNames[date.month - 1]
        let time = "\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))"
        return "\(weekday), \(padded(date.day)) \(month) \(date.year) \(time) GMT"
    }

    private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The Gregorian date of a day counted from 1970-01-01.
    ///
    /// Years are taken to begin in March, so that the leap day is the last of its year, and days are counted from
    /// 0000-03-01, where a cycle of 400 years (146,097 days) begins.
    private static func civilDate(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let (cycle, dayOfCycle) = (day + 719_468).quotientAndRemainder(dividingBy: 146_097)
        // Leap days are taken out first: one in 4 years (1,460 days), but in 100 (36,524), yet in 400 (146,096).
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // From March on, five months have 153 days, in the order 31, 30, 31, 30, 31.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }
}
