/// The order of the topics that have one for everybody, as one member hears it that is subscribed to all of them and
/// gives the others' transcripts to be held against.
struct ModelOrder {
    /// Whose transcript it is: the first of all.
    private let reference = 0
    private let board: ModelBoard
    /// By topic: the place of each message, by its stream and number.
    private var places: [Int: [Place: Int]] = [:]
    /// By member and topic: the last place that it has heard.
    private var heard: [Place: Int] = [:]
    /// Messages that were compared.
    private(set) var comparisonCount = 0

    private struct Place: Hashable {
        var first: Int
        var second: Int
    }

    init(board: ModelBoard) { self.board = board }

    mutating func check(_ received: [(stream: Int, number: Int)], of member: Int) -> String? {
        for message in received {
            guard let topic = board.totalTopic(ofStream: message.stream) else { continue }
            let key = Place(first: message.stream, second: message.number)
            if member == reference {
                places[topic, default: [:]][key] = places[topic]?.count ?? 0
                continue
            }
            // One that the reference had no room for has no place.
            guard let place = places[topic]?[key] else { continue }
            comparisonCount += 1
            let last = heard.updateValue(place, forKey: Place(first: member, second: topic)) ?? -1
            if place <= last {
                return """
                    message \(message.number) of stream \(message.stream) came to \(member) behind one that comes \
                    later at \(reference)
                    """
            }
        }
        return nil
    }
}
