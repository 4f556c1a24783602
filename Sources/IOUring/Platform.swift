#if !os(Linux)
    #error("Ringcast is for Linux. On macOS or Windows open the repository in its dev container (.devcontainer).")
#endif
