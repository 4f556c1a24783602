#if !os(Linux)
    #error("Ringcast is for Linux: it stands on io_uring, which no other system has.")
#endif
