/// A piece of a progress line.
struct ProgressPart {
    enum Colour: String {
        case none = ""
        case bold = "\u{1B}[1m"
        case red = "\u{1B}[31m"
        case green = "\u{1B}[32m"
        case dim = "\u{1B}[2m"

        func paint(_ text: String) -> String {
            self == .none || text.isEmpty ? text : rawValue + text + "\u{1B}[0m"
        }
    }

    private enum Content {
        case text(String, Colour)
        /// How much of it is full, 0 to 1.
        case bar(Double)
    }

    private let content: Content
    /// The lowest go in first.
    let rank: Int

    private init(content: Content, rank: Int) { (self.content, self.rank) = (content, rank) }

    /// - Parameter width: columns it takes even if it is shorter, so that what stands behind it stays where it is.
    init(_ text: String, rank: Int, colour: Colour = .none, width: Int = 0) {
        let padded = text + String(repeating: " ", count: max(0, width - text.count))
        self.init(content: .text(padded, colour), rank: rank)
    }

    /// - Parameter share: how much of it is full; outside of 0 to 1 it is empty or full.
    static func bar(_ share: Double, rank: Int) -> ProgressPart { ProgressPart(content: .bar(share), rank: rank) }

    private static let shortestBar = 8
    private static let longestBar = 24

    /// Columns it takes at least.
    var width: Int {
        switch content {
        case .text(let text, _): text.count
        case .bar: Self.shortestBar
        }
    }

    /// - Parameter room: columns that nobody else takes.
    func show(stretchedBy room: Int, isColoured: Bool) -> String {
        switch content {
        case .text(let text, let colour): return isColoured ? colour.paint(text) : text
        case .bar(let share):
            let length = min(Self.longestBar, Self.shortestBar + max(0, room))
            let full = share > 0 ? Int((min(1, share) * Double(length)).rounded()) : 0
            let (done, rest) = (String(repeating: "━", count: full), String(repeating: "─", count: length - full))
            return isColoured ? Colour.green.paint(done) + Colour.dim.paint(rest) : done + rest
        }
    }
}
