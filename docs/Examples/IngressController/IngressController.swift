import KubeClient

/// An Ingress controller for nginx, as small as one can be that survives restarts, conflicts, broken
/// connections and storms of changes:
///
///     IngressController FILE ADDRESS [LISTEN]
///
/// FILE is included by nginx's `http` block, ADDRESS is where clients find nginx, LISTEN what nginx
/// listens on (80). The cluster is that of the kubeconfig's current context, or the pod's own.
@main
struct IngressController {
    static func main() async throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 2 || words.count == 3 else {
            say("usage: IngressController FILE ADDRESS [LISTEN]")
            return
        }
        let client = KubeClient(
            try KubeConfiguration.load(), userAgent: "ingress-controller/1 (example)")
        try await Controller(
            client: client, file: words[1], listen: words.count == 3 ? words[3] : "80",
            address: words[2]
        ).run()
    }
}
