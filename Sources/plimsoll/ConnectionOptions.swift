import ArgumentParser
import KubeClient

/// Which cluster, with kubectl's names.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.customLong("kubeconfig"), .customLong("config")],
        help: ArgumentHelp(
            "A kubeconfig. Else KUBECONFIG, ~/.kube/config, or the pod's service account.",
            valueName: "file"),
        completion: .file())
    var kubeconfig: String?

    @Option(help: ArgumentHelp("A context of the kubeconfig.", valueName: "name"))
    var context: String?

    func client(_ limits: DecodingLimits) throws(KubeError) -> KubeClient {
        let configuration = try KubeConfiguration.load(
            kubeconfig.map { .file($0) } ?? .automatic, context: context)
        return KubeClient(
            configuration, userAgent: "plimsoll/\(Version.text) (\(Version.platform))",
            limits: limits)
    }
}
