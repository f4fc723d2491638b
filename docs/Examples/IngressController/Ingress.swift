import KubeClient

/// As much of an Ingress as a load balancer needs
/// (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/ingress-v1/).
struct Ingress: Decodable, Sendable {
    struct Spec: Decodable, Sendable { var rules: [Rule]? }
    struct Rule: Decodable, Sendable {
        var host: String?
        var http: Paths?
    }
    struct Paths: Decodable, Sendable { var paths: [Path] }
    struct Path: Decodable, Sendable {
        var path: String?
        var pathType: String
        var backend: Backend
    }
    struct Backend: Decodable, Sendable { var service: ServiceReference? }
    struct ServiceReference: Decodable, Sendable {
        struct Port: Decodable, Sendable {
            var number: Int?
            var name: String?
        }
        var name: String
        var port: Port
    }
    struct Status: Decodable, Sendable {
        struct LoadBalancer: Decodable, Sendable {
            struct Address: Decodable, Sendable { var ip: String? }
            var ingress: [Address]?
        }
        var loadBalancer: LoadBalancer?
    }

    var spec: Spec?
    var status: Status?

    /// Where clients find it, as the status says.
    var addresses: [String] { (status?.loadBalancer?.ingress ?? []).compactMap(\.ip) }

    static let type = ResourceType(
        group: "networking.k8s.io", plural: "ingresses", kind: "Ingress", isNamespaced: true)
}

/// As much of a Service.
struct Service: Decodable, Sendable {
    struct Spec: Decodable, Sendable {
        var clusterIP: String?
        var ports: [Port]?
    }
    struct Port: Decodable, Sendable {
        var name: String?
        var port: Int
    }

    var spec: Spec?

    static let type = ResourceType(plural: "services", kind: "Service", isNamespaced: true)
}
