public import FoundationEssentials
public import NodeWatch

extension AlertEngine {
    /// Takes in who has been silent for how long.
    ///
    /// - Parameters:
    ///   - silentNodes: Nodes that nothing was heard of for so long, and for how long; asked once for each
    ///     rule that wants to know.
    ///   - stream: How long nothing has come from the server; nil: nobody knows.
    ///   - time: When.
    public mutating func observe(
        silentNodes: (Duration) -> [(node: NodeSummary, silence: Duration)], stream: Duration?,
        at time: Date
    ) -> [Alert] {
        var alerts: [Alert] = []
        for index in nodeRules {
            switch rules[index].condition {
            case .streamStale(let limit):
                guard let stream else { continue }
                let verdict = Verdict(
                    isTrue: stream >= limit, measure: Self.seconds(stream, limit),
                    detail: Self.text("nothing from the server", stream, limit))
                alerts += step(Subject(rule: index, node: ""), nil, verdict, time)
            case .nodeSilent(let limit):
                // Who is blind hears nothing of any node.
                if let stream, stream >= limit { continue }
                alerts += silence(index, limit, silentNodes(limit), time)
            default: continue
            }
        }
        return alerts
    }

    private mutating func silence(
        _ index: Int, _ limit: Duration, _ silent: [(node: NodeSummary, silence: Duration)],
        _ time: Date
    ) -> [Alert] {
        let rule = rules[index]
        var alerts: [Alert] = []
        var names: Set<String> = []
        for (node, silence) in silent.sorted(by: { $0.node.name < $1.node.name })
        where rule.scope.contains(node) {
            names.insert(node.name)
            let verdict = Verdict(
                isTrue: true, measure: Self.seconds(silence, limit),
                detail: Self.text("not a word from it", silence, limit))
            alerts += step(Subject(rule: index, node: node.name), node, verdict, time)
        }
        let heard = activations.keys.filter { $0.rule == index && !names.contains($0.node) }
        for subject in heard.sorted() {
            alerts += step(subject, self.node(subject.node), .nothing, time)
        }
        return alerts
    }

    private static func seconds(_ silence: Duration, _ limit: Duration) -> Alert.Measure {
        .init(
            value: (silence / .seconds(1)).rounded(), threshold: limit / .seconds(1),
            unit: .seconds)
    }

    private static func text(_ what: String, _ silence: Duration, _ limit: Duration) -> String {
        "\(what) for \(DurationText.text(.seconds(silence.components.seconds))) "
            + "(≥ \(DurationText.text(limit)))"
    }
}
