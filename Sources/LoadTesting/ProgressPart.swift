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
        /// The share of the bar that is full, 0 to 1.
        case bar(Double)
    }

    private let content: Content
    /// Where there is little room, parts of a low rank are shown first.
    let rank: Int

    private init(content: Content, rank: Int) { (self.content, self.rank) = (content, rank) }

    /// - Parameter width: columns that a shorter text takes too, so that the parts behind it stay where they are.
    init(_ text: String, rank: Int, colour: Colour = .none, width: Int = 0) {
        self.init(content: .text(Units.padded(text, width), colour), rank: rank)
    }

    /// - Parameter share: the share that is full; outside of 0 to 1 the bar is empty or full.
    static func bar(_ share: Double, rank: Int) -> ProgressPart { ProgressPart(content: .bar(share), rank: rank) }

    private static let shortestBar = 8
    private static let longestBar = 24

    /// Columns that the part takes at least.
    var width: Int {
        switch content {
        case .text(let text, _): text.count
        case .bar: Self.shortestBar
        }
    }

    /// - Parameter room: columns that no other part takes: a bar's to stretch into.
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
