import ArgumentParser
import NodeWatch

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

    var isEmpty: Bool { selector.isEmpty && fieldSelector.isEmpty }

    var nodes: NodeSelector { NodeSelector(labels: selector, fields: fieldSelector) }
}
