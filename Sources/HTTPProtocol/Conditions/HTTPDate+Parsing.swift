extension HTTPDate {
    /// Reads a date in any of the three forms that HTTP has had (RFC 9110 §5.6.7); nil for anything else. The name of
    /// the day is read, and not believed.
    /// - Parameter now: decides which century a year of two digits is of: not more than 50 years from now.
    package init?(parsing text: String, now: HTTPDate) {
        for form in [Self.fixdate, Self.obsoleteDate, Self.asctimeDate] {
            var scanner = DateScanner(bytes: Array(text.utf8), now: now)
            if form(&scanner), scanner.isAtEnd, let date = scanner.date {
                self = date
                return
            }
        }
        return nil
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private static func fixdate(_ scanner: inout DateScanner) -> Bool {
        scanner.name(of: HTTPDate.dayNames) != nil && scanner.text(", ") && scanner.readDay() && scanner.text(" ")
            && scanner.readMonth() && scanner.text(" ") && scanner.readYear() && scanner.text(" ")
            && scanner.readTime() && scanner.text(" GMT")
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT` (RFC 850)
    private static func obsoleteDate(_ scanner: inout DateScanner) -> Bool {
        scanner.name(of: DateScanner.longDays) != nil && scanner.text(", ") && scanner.readDay() && scanner.text("-")
            && scanner.readMonth() && scanner.text("-") && scanner.readShortYear() && scanner.text(" ")
            && scanner.readTime() && scanner.text(" GMT")
    }

    /// `Sun Nov  6 08:49:37 1994` (C's `asctime`)
    private static func asctimeDate(_ scanner: inout DateScanner) -> Bool {
        scanner.name(of: HTTPDate.dayNames) != nil && scanner.text(" ") && scanner.readMonth() && scanner.text(" ")
            && scanner.readPaddedDay() && scanner.text(" ") && scanner.readTime() && scanner.text(" ")
            && scanner.readYear()
    }

    /// The year of the moment.
    fileprivate var year: Int {
        // From 0000-03-01, as in `civilDate`, but only the year is wanted: of 1 January to 31 December.
        var year = secondsSince1970 / 31_556_952 + 1970
        while Self.day(year + 1, 1, 1) * 86_400 <= secondsSince1970 { year += 1 }
        while Self.day(year, 1, 1) * 86_400 > secondsSince1970 { year -= 1 }
        return year
    }

    /// The number of a day since 1970-01-01; years begin in March, as in `civilDate`.
    fileprivate static func day(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return 365 * marchYear + leapDays + (153 * monthFromMarch + 2) / 5 + day - 1 - 719_468
    }
}

/// Reads the parts of a date from the front of a text.
private struct DateScanner {
    static let longDays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    let bytes: [UInt8]
    let now: HTTPDate
    private var position = 0
    private var (year, month, day) = (0, 0, 0)
    private var second = 0

    init(bytes: [UInt8], now: HTTPDate) {
        self.bytes = bytes
        self.now = now
    }

    var isAtEnd: Bool { position == bytes.count }

    /// The moment of all that was read; nil if there is no such day. The calendar of all days is the one of today.
    var date: HTTPDate? {
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day >= 1, day <= lengths[month] else { return nil }
        return HTTPDate(secondsSince1970: HTTPDate.day(year, month + 1, day) * 86_400 + second)
    }

    private var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    mutating func text(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    /// The index of the name that comes; case counts (RFC 9110 §5.6.7).
    mutating func name(of names: [String]) -> Int? {
        for (index, name) in names.enumerated() where text(name) { return index }
        return nil
    }

    mutating func readDay() -> Bool { read(2) { $0.day = $1 } }

    /// A day with a space in place of a leading zero.
    mutating func readPaddedDay() -> Bool { text(" ") ? read(1) { $0.day = $1 } : readDay() }

    mutating func readMonth() -> Bool {
        guard let index = name(of: HTTPDate.monthNames) else { return false }
        month = index
        return true
    }

    mutating func readYear() -> Bool { read(4) { $0.year = $1 } }

    /// RFC 9110 §5.6.7: what would be more than 50 years ahead is of the past.
    mutating func readShortYear() -> Bool {
        read(2) { scanner, number in
            let present = scanner.now.year
            let year = present / 100 * 100 + number
            scanner.year = year > present + 50 ? year - 100 : year
        }
    }

    mutating func readTime() -> Bool {
        var parts: [Int] = []
        guard read(2, { parts.append($1) }), text(":"), read(2, { parts.append($1) }), text(":"),
            read(2, { parts.append($1) }), parts[0] < 24, parts[1] < 60, parts[2] <= 60
        else { return false }
        second = parts[0] * 3_600 + parts[1] * 60 + parts[2]
        return true
    }

    /// Reads a number of so many digits.
    private mutating func read(_ digitCount: Int, _ take: (inout DateScanner, Int) -> Void) -> Bool {
        guard bytes.count - position >= digitCount else { return false }
        var number = 0
        for byte in bytes[position..<position + digitCount] {
            guard let digit = byte.decimalDigit else { return false }
            number = number * 10 + digit
        }
        position += digitCount
        take(&self, number)
        return true
    }
}
