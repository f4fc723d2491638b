/// `labelSelector` and `fieldSelector` of a request for nodes.
struct NodeSelector: Sendable {
    private var labels: LabelSelector
    private var name: String?
    private var notName: String?
    private var unschedulable: Bool?

    var selectsAll: Bool {
        labels.selectsAll && name == nil && notName == nil && unschedulable == nil
    }

    init(labelSelector: String, fieldSelector: String) throws(InvalidSelector) {
        labels = try LabelSelector(labelSelector)
        for part in LabelSelector.split(fieldSelector) {
            guard let (key, isEqual, value) = LabelSelector.comparison(part) else {
                throw InvalidSelector(message: "invalid field selector: \(part)")
            }
            switch key {
            case "metadata.name" where isEqual: name = value
            case "metadata.name": notName = value
            case "spec.unschedulable": unschedulable = (value == "true") == isEqual
            default: throw InvalidSelector(message: "field label not supported: \(key)")
            }
        }
    }

    func matches(_ node: SimulatedNode, _ encoder: NodeEncoder) -> Bool {
        if let name, node.name != name { return false }
        if let notName, node.name == notName { return false }
        if let unschedulable, node.values.isUnschedulable != unschedulable { return false }
        return labels.selectsAll || labels.matches(encoder.labels(node))
    }
}
