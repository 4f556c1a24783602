// What the search for leaks finds: with `ring` an object that keeps itself; with `program` what Foundation forgets when it
// runs one, which `leaks.txt` argues about; with anything else nothing.
import Foundation

final class Node {
    var next: Node?
}

func tieRing() {
    let node = Node()
    node.next = node
}

func runProgram() throws {
    let program = Process()
    program.executableURL = URL(filePath: "/bin/true")
    try program.run()
    program.waitUntilExit()
}

switch CommandLine.arguments.last {
case "ring": tieRing()
case "program": try runProgram()
default: break
}
