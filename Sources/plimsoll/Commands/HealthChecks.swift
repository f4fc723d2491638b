import NodeWatch
import PlimsollService

extension HealthReport.Check {
    /// The informer's thread shows itself every second, but for a plugin that may take minutes.
    private static let lifePatience = Duration.seconds(600)

    /// Whether an informer's thread goes on.
    static func informer(_ name: String, _ informer: SharedNodeInformer) -> Self {
        let freshness = informer.freshness
        let silence = freshness.sinceSignOfLife ?? .zero
        let isStuck = freshness.state != .waiting && silence > lifePatience
        return Self(
            name: name,
            objection: isStuck
                ? "its thread has been stuck for \(silence.components.seconds) s" : nil)
    }

    /// Whether an informer's view can be relied on.
    static func watch(_ name: String, _ informer: SharedNodeInformer, staleAfter limit: Duration)
        -> Self
    {
        Self(name: name, objection: informer.freshness.objection(staleAfter: limit))
    }
}
