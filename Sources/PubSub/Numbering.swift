/// Which numbers a topic's messages have, and how they relate to the stamps of its frames.
package struct Numbering: Hashable, Sendable {
    /// Its name; 0 where nothing has been numbered yet, so that `Position.oldest` is its beginning.
    package let epoch: UInt64
    /// The stamp of the message with offset 1, had it come through here. What has a lower one is of an earlier
    /// numbering.
    let firstStamp: UInt64
    /// The numberings before, newest first, and the offset with which each ended: the next one has gone on from there.
    /// Of a shared history alone, whose engine begins another whenever it cannot know what it has lost.
    package let earlier: [Position]
    /// Whether it is known at all: of a shared history it is asked for.
    package let isKnown: Bool

    package init(epoch: UInt64, firstStamp: UInt64 = 0, earlier: [Position] = []) {
        (self.epoch, self.firstStamp, self.earlier, isKnown) = (epoch, firstStamp, earlier, true)
    }

    private init() { (epoch, firstStamp, earlier, isKnown) = (0, 0, [], false) }

    static let unknown = Numbering()

    func position(ofStamp stamp: UInt64) -> Position? {
        epoch > 0 && stamp >= firstStamp ? Position(epoch: epoch, offset: stamp - firstStamp + 1) : nil
    }

    /// The offset that somebody at a position of this numbering, or of an earlier one, has come to here; nil where
    /// the position is of none of them, or behind the end of an earlier one: then something is lost.
    package func offset(of position: Position) -> UInt64? {
        if position.epoch == epoch || position == .oldest { return position.offset }
        guard let end = earlier.first(where: { $0.epoch == position.epoch }) else { return nil }
        return position.offset <= end.offset ? position.offset : nil
    }
}
