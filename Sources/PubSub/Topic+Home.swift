extension Topic {
    /// The loop that numbers the topic's messages where they have one order for everybody: for the same spelling of the
    /// name and the same number of loops always the same one, in every process.
    package func home(among loopCount: Int) -> Int {
        // FNV-1a, then mixed: it leaves the last bytes, which tell rooms apart, in few bits.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        return Int((hash ^ hash >> 33) % UInt64(loopCount))
    }
}
