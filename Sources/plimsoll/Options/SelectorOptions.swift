public import ArgumentParser
public import NodeWatch

extension Shard: ExpressibleByArgument {
    /// As the flag takes it: "2/4".
    public init?(argument: String) { self.init(argument) }
}

/// Which nodes, with kubectl's names.
struct SelectorOptions: ParsableArguments {
    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("Only nodes with these labels: pool=gpu,zone!=a.", valueName: "labels"))
    var selector = ""

    @Option(
        help: ArgumentHelp(
            "Only nodes with these fields: metadata.name=NODE or spec.unschedulable=BOOL.",
            valueName: "fields"))
    var fieldSelector = ""

    @Option(
        help: ArgumentHelp(
            "Only this part of the nodes, for several watchers that share the work: 2/4 is the second "
                + "of four.", valueName: "n/count"))
    var shard: Shard?

    var isEmpty: Bool { selector.isEmpty && fieldSelector.isEmpty && shard == nil }

    var nodes: NodeSelector { NodeSelector(labels: selector, fields: fieldSelector, shard: shard) }
}
