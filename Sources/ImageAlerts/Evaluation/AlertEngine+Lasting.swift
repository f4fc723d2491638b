public import FoundationEssentials

extension AlertEngine {
    /// What fires now, as it was told when it began: for those who must hear of it again and again.
    public func lastingAlerts(at time: Date) -> [Alert] {
        activations.filter { $0.value.phase != .pending }.sorted { $0.key < $1.key }
            .map { subject, activation in
                alert(.begins, activation, rules[subject.rule], node(subject.node), time)
            }
    }
}
