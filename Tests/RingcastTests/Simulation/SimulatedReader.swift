/// Somebody who has one connection after the other, and resumes where it has heard most.
final class SimulatedReader {
    let name: String
    /// The one that it listens to.
    var connection: Int
    /// By topic, what it has come to.
    var places: [String: Place] = [:]
    /// Topics that it has asked for by this connection.
    var asked: Set<String> = []

    init(connection: Int) { (name, self.connection) = ("reader\(connection)", connection) }
}

/// What one connection is to hear of a topic with history from a subscription on.
struct SimulatedCourse {
    let numbering: Int
    /// The newest message that there was: what comes up to it is replayed.
    let floor: Int
    /// The offset of the message that comes next.
    var next: Int
    /// It has heard a message whose place nobody knows: what comes next is not known, either.
    var isLost = false
}

/// All of a connection's subscriptions to a topic with history. The server sends the number of each before it begins:
/// so it is known to which belongs what the client hears.
struct SimulatedCourses {
    private(set) var courses: [SimulatedCourse] = []
    /// The number of the one that the client hears, from 1 on.
    private(set) var heard = 0
    /// Whether the last one goes on.
    var isSubscribed = false
    /// How often a message was reported as dropped, and not yet missed by the client.
    private var dropped: [Publication: Int] = [:]

    /// The one that the client hears.
    var current: SimulatedCourse? { heard > 0 ? courses[heard - 1] : nil }

    mutating func begin(_ course: SimulatedCourse) {
        courses.append(course)
        isSubscribed = true
    }

    mutating func noteDrop(of message: Publication) { dropped[message, default: 0] += 1 }

    /// The client hears that the next one begins. Returns whether there is one of this number.
    mutating func hearBeginning(of number: Int) -> Bool {
        guard number == heard + 1, number <= courses.count else { return false }
        heard = number
        return true
    }

    /// The client hears a message at a place, or at one that nobody knows. Returns what is wrong with that, and how
    /// many are missing before it although they were not reported as dropped.
    mutating func hear(_ message: Publication, at place: Place?, by id: Int, _ history: SimulatedHistory)
        -> (complaint: String?, missing: Int)
    {
        guard let course = current else { return ("\(id) got \(message) without a subscription", 0) }
        guard let place else {
            courses[heard - 1].isLost = true
            return (history.unknownCount > 0 ? nil : "\(id) got \(message), which was never numbered", 0)
        }
        guard place.numbering == course.numbering, place.offset >= course.next else {
            return ("\(id) got \(message), \(place), where \(course.numbering).\(course.next) comes next", 0)
        }
        if message.publisher == id, place.offset > course.floor { return ("\(id) got its own \(message)", 0) }
        var missing = 0
        if !course.isLost {
            for offset in course.next..<place.offset {
                let message = history.message(at: Place(numbering: course.numbering, offset: offset))
                guard let message, !isOwn(message, offset, of: id) else { continue }
                if dropped[message] == nil { missing += 1 } else { forgetDrop(of: message) }
            }
        }
        courses[heard - 1].next = place.offset + 1
        courses[heard - 1].isLost = false
        return (nil, missing)
    }

    /// How many messages behind what the client has heard were never reported as dropped, and the first of them.
    func missing(by id: Int, _ history: SimulatedHistory) -> (count: Int, first: Publication?) {
        guard let course = current, !course.isLost, history.last.numbering == course.numbering else { return (0, nil) }
        let places = course.next..<max(course.next, history.last.offset + 1)
        let missing = places.compactMap { offset -> Publication? in
            let message = history.message(at: Place(numbering: course.numbering, offset: offset))
            guard let message, !isOwn(message, offset, of: id), dropped[message] == nil else { return nil }
            return message
        }
        return (missing.count, missing.first)
    }

    /// A publisher does not hear itself, unless it is replayed.
    private func isOwn(_ message: Publication, _ offset: Int, of id: Int) -> Bool {
        message.publisher == id && offset > current!.floor
    }

    private mutating func forgetDrop(of message: Publication) {
        let count = dropped[message]!
        dropped[message] = count > 1 ? count - 1 : nil
    }
}
