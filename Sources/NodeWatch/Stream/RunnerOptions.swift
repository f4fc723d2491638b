/// How patient a runner is.
package struct RunnerOptions: Sendable {
    package var reflector = Reflector.Options()
    /// A watch ends after so long; a random point spares the server from all clients at once.
    package var watchSeconds = 300...600
    /// Without the end bookmark or another object for so long, a streaming list is given up.
    package var endBookmarkPatience = Duration.seconds(30)
    /// A plain list may take long to begin: older servers encode all of it first.
    package var listPatience = Duration.seconds(120)
    /// A watch without a byte for so long is asked after: bookmarks come about once a minute.
    package var silencePatience = Duration.seconds(130)
    /// A probe asks for one object: who takes longer is not there.
    package var probePatience = Duration.seconds(10)
    /// Bytes of a list gather for so long before they are read, and those of a watch. A server that
    /// writes event by event would wake us for each.
    package var listWindow = Duration.milliseconds(4)
    package var batchWindow = Duration.milliseconds(50)
    /// Time between two reports on a list that comes in.
    package var reportInterval = Duration.milliseconds(100)

    package init() {}
}
