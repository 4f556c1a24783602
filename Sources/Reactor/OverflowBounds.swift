/// What may wait in one lane, in elements and in bytes. An element is refused when either bound is reached, so what
/// waits is at most the bound and one element. A quarter of either is the watermark, at which producers should wait.
struct OverflowBounds<Element: Sendable>: Sendable {
    let count: Int
    let bytes: Int
    /// Memory that waits with an element.
    let byteCount: @Sendable (Element) -> Int

    func haveRoom(_ count: Int, _ bytes: Int) -> Bool { count < self.count && bytes < self.bytes }

    /// A ring's elements are few: only their bytes are bounded here.
    func haveRoomInRing(_ bytes: Int) -> Bool { bytes < max(self.bytes / 4, 1) }

    func isPastWatermark(_ count: Int, _ bytes: Int) -> Bool {
        count >= max(self.count / 4, 1) || bytes >= max(self.bytes / 4, 1)
    }
}
