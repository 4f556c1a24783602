/// What has been done so far.
struct WorldSum: CustomStringConvertible, Equatable {
    var worlds = 0
    var faults = 0
    var turns = 0
    var publishes = 0
    /// Worlds with history; subscriptions that went on after a position, the messages that were replayed to them, and
    /// subscriptions that were told of a gap.
    var histories = 0
    var resumes = 0
    var replays = 0
    var gaps = 0

    var description: String {
        "\(worlds) worlds: \(faults) faults, \(turns) turns, \(publishes) publishes, \(histories) with histories, "
            + "\(resumes) resumes, \(replays) replays, \(gaps) gaps"
    }

    static func += (sum: inout WorldSum, world: WorldSum) {
        sum.worlds += world.worlds
        sum.faults += world.faults
        sum.turns += world.turns
        sum.publishes += world.publishes
        sum.histories += world.histories
        sum.resumes += world.resumes
        sum.replays += world.replays
        sum.gaps += world.gaps
    }
}
