/// `labelSelector`, `fieldSelector` and `shardSelector` of a request for nodes.
struct NodeSelector: Sendable {
    private var labels: LabelSelector
    private var name: String?
    private var notName: String?
    private var unschedulable: Bool?
    /// Nil: all of them.
    private(set) var shard: ShardRange?

    var selectsAll: Bool {
        labels.selectsAll && name == nil && notName == nil && unschedulable == nil
            && shard == nil
    }

    init(labelSelector: String, fieldSelector: String, shardSelector: String)
        throws(InvalidSelector)
    {
        if !shardSelector.isEmpty { shard = try ShardRange(shardSelector) }
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
        if let shard, !shard.contains(uid: node.uid) { return false }
        if let name, node.name != name { return false }
        if let notName, node.name == notName { return false }
        if let unschedulable, node.values.isUnschedulable != unschedulable { return false }
        return labels.selectsAll || labels.matches(encoder.labels(node))
    }
}
