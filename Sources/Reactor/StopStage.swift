/// How far a loop has come on the way to its end. Lanes keep order, so that its word at each stage comes behind all
/// that it has posted before.
///
/// A message may take three steps: a job to the loop of a reference's socket, what that publishes to the home loop of
/// its topic, and from there to the subscribers' loops. Three stages follow each other for them.
enum StopStage: Int {
    /// The loop has closed its listeners; what they accepted for others is on its way.
    case acceptingHasEnded
    /// The loop was asked to stop, and has handled what other threads had posted to it before.
    case asked
    /// The loop has handled what loops had posted before they were asked.
    case handled
    /// The loop has handled what they posted when they handled that. Once all are here, what that led to is handled,
    /// too.
    case relayed
    /// The loop's last connection has ended, and with it what the loop posts by itself.
    case empty
}

/// The stages that all loops of a group have reached, as one of them knows.
struct StopProgress {
    /// How many loops have come to each stage.
    private var arrivals = InlineArray<5, Int>(repeating: 0)
    private let loopCount: Int
    /// The stage that this loop has reached.
    private(set) var stage: StopStage?
    /// Loops that this one's last word, `empty`, has not been handed to.
    private var unheard: LoopSet

    init(loopCount: Int) {
        self.loopCount = loopCount
        unheard = LoopSet(loopCount: loopCount)
    }

    mutating func reach(_ stage: StopStage) {
        self.stage = stage
        if stage == .empty { for loop in 0..<loopCount { unheard.insert(loop) } }
    }

    mutating func note(_ stage: StopStage) { arrivals[stage.rawValue] += 1 }

    func allHaveReached(_ stage: StopStage) -> Bool { arrivals[stage.rawValue] == loopCount }

    /// Whether every loop has been handed this one's last word; `isDelivered` says whether nothing for a loop is held
    /// back.
    mutating func isHeardByAll(_ isDelivered: (Int) -> Bool) -> Bool {
        unheard.removeAll(where: isDelivered)
        return unheard.isEmpty
    }
}
