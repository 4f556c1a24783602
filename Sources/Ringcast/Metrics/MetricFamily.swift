/// A metric: its name, what it means, and a value for each combination of its labels.
///
/// Names follow Prometheus: `ringcast_` in front, the unit at the end, `_total` behind a counter.
public struct MetricFamily: Hashable, Sendable {
    /// How values of a metric are to be read.
    @nonexhaustive public enum Kind: String, Hashable, Sendable {
        /// Only grows.
        case counter
        /// Goes up and down.
        case gauge
        /// Counts of values by class, and their sum.
        case histogram
    }

    /// One label and its value.
    public struct Label: Hashable, Sendable {
        /// A letter or `_`, then letters, digits and `_`.
        public var name: String
        /// Any text.
        public var value: String

        /// A label; any other name than the ones allowed is a programming error.
        public init(_ name: String, _ value: String) {
            precondition(MetricFamily.isName(name, colons: false), "\(name) is no name of a label")
            self.name = name
            self.value = value
        }
    }

    /// The values of a histogram.
    public struct Histogram: Hashable, Sendable {
        /// The highest value of each class, in ascending order; one more class is open.
        public var bounds: [Double]
        /// Values in each class, and not in those below: one more than there are bounds.
        public var counts: [Int]
        /// The sum of all values.
        public var sum: Double

        /// The values of a histogram.
        public init(bounds: [Double], counts: [Int], sum: Double) {
            precondition(counts.count == bounds.count + 1, "a histogram has a class more than bounds")
            self.bounds = bounds
            self.counts = counts
            self.sum = sum
        }

        /// How many values there are.
        public var count: Int { counts.reduce(0, +) }
    }

    /// What was measured.
    @nonexhaustive public enum Value: Hashable, Sendable {
        /// A count.
        case integer(Int)
        /// A measure.
        case number(Double)
        /// The classes of a histogram.
        case histogram(Histogram)
    }

    /// The value for one combination of labels.
    public struct Sample: Hashable, Sendable {
        /// In the order in which they are shown; no name twice.
        public var labels: [Label]
        /// What was measured.
        public var value: Value

        /// A value with its labels.
        public init(_ value: Value, labels: [Label] = []) {
            self.value = value
            self.labels = labels
        }
    }

    /// A letter, `_` or `:`, then letters, digits, `_` and `:`.
    public var name: String
    /// How values are to be read.
    public var kind: Kind
    /// What it means, in a sentence.
    public var help: String
    /// The values.
    public var samples: [Sample]

    /// A metric; any other name than the ones allowed is a programming error.
    public init(_ name: String, _ kind: Kind, _ help: String, samples: [Sample]) {
        precondition(MetricFamily.isName(name, colons: true), "\(name) is no name of a metric")
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    private static func isName(_ name: String, colons: Bool) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: colons && byte == UInt8(ascii: ":")
            }
        }
    }
}
