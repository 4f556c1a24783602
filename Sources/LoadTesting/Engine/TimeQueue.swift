/// Moments that wait for their answer, first in, first out.
package struct TimeQueue: Sendable {
    private var times: [UInt64] = []
    private var first = 0

    package init() {}

    package mutating func append(_ time: UInt64) {
        // Room of times that were taken is given back now and then, so that an append costs little on average.
        if first > 32, first * 2 > times.count {
            times.removeFirst(first)
            first = 0
        }
        times.append(time)
    }

    package mutating func takeFirst() -> UInt64? {
        guard first < times.count else { return nil }
        defer { first += 1 }
        return times[first]
    }
}
