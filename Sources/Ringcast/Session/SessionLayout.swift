/// One allocation per socket: the engine's state, and behind it the user's data.
struct SessionLayout {
    let dataOffset: Int
    let byteCount: Int
    let alignment: Int

    init<ConnectionData>(dataOf type: ConnectionData.Type) {
        alignment = max(MemoryLayout<SessionState>.alignment, MemoryLayout<ConnectionData>.alignment)
        let mask = MemoryLayout<ConnectionData>.alignment - 1
        dataOffset = (MemoryLayout<SessionState>.size + mask) & ~mask
        byteCount = dataOffset + MemoryLayout<ConnectionData>.size
    }
}
