extension NodeProfile {
    /// Amazon EKS, Amazon Linux 2023.
    static let eks = NodeProfile(
        pools: ["general", "spot", "gpu"],
        name: { ordinal, _, _ in
            let address = Self.address(ordinal)
            return "ip-\(address.replacing(".", with: "-")).us-west-2.compute.internal"
        },
        labels: { node in
            let zone = ["a", "b", "c"][node.values.ordinal % 3]
            return sorted(
                commonLabels(
                    node, instanceType: "m6i.4xlarge", region: "us-west-2", zone: "us-west-2\(zone)"
                )
                    + [
                        (
                            "eks.amazonaws.com/capacityType",
                            node.values.pool == "spot" ? "SPOT" : "ON_DEMAND"
                        ),
                        ("eks.amazonaws.com/nodegroup", node.values.pool),
                        ("eks.amazonaws.com/nodegroup-image", "ami-0d1f3a5b7c9e2468a"),
                        ("eks.amazonaws.com/sourceLaunchTemplateId", "lt-04c2e6a8d0b1f3579"),
                        ("eks.amazonaws.com/sourceLaunchTemplateVersion", "3"),
                        ("k8s.io/cloud-provider-aws", "5d41402abc4b2a76b9719d911017c592"),
                        ("topology.k8s.aws/zone-id", "usw2-az\(node.values.ordinal % 3 + 1)"),
                    ])
        },
        annotations: { node in
            let instance = Self.instance(node)
            return [
                ("alpha.kubernetes.io/provided-node-ip", Self.address(node.values.ordinal)),
                (
                    "csi.volume.kubernetes.io/nodeid",
                    "{\"ebs.csi.aws.com\":\"\(instance)\",\"efs.csi.aws.com\":\"\(instance)\"}"
                ),
                ("node.alpha.kubernetes.io/ttl", "0"),
                ("volumes.kubernetes.io/controller-managed-attach-detach", "true"),
            ]
        },
        providerID: { node in
            "aws:///us-west-2\(["a", "b", "c"][node.values.ordinal % 3])/\(Self.instance(node))"
        },
        resources: [
            ("cpu", "16"), ("ephemeral-storage", "104845292Ki"), ("hugepages-1Gi", "0"),
            ("hugepages-2Mi", "0"), ("memory", "64314372Ki"), ("pods", "234"),
        ],
        allocatable: [
            ("cpu", "15890m"), ("ephemeral-storage", "95551679124"), ("hugepages-1Gi", "0"),
            ("hugepages-2Mi", "0"), ("memory", "61320196Ki"), ("pods", "234"),
        ],
        conditions: kubeletConditions,
        nodeInfo: [
            ("kernelVersion", "6.1.141-155.222.amzn2023.x86_64"),
            ("osImage", "Amazon Linux 2023.7.20250623"),
            ("containerRuntimeVersion", "containerd://2.1.5"),
            ("kubeletVersion", "v1.36.2-eks-3a1b9c4"), ("kubeProxyVersion", ""),
            ("operatingSystem", "linux"), ("architecture", "amd64"),
        ],
        systemImages: { random in
            // The machine image is made once for all regions: its images carry every region's
            // registry as a name, of which the kubelet reports five.
            let regions = [
                "il-central-1", "ap-southeast-3", "me-central-1", "eu-south-2", "ap-south-2",
            ]
            let preloaded = [
                ("amazon-k8s-cni", "v1.20.4-eksbuild.2", 84_103_210),
                ("amazon-k8s-cni-init", "v1.20.4-eksbuild.2", 61_502_377),
                ("eks/kube-proxy", "v1.36.2-minimal-eksbuild.3", 33_190_118),
                ("eks/pause", "3.10", 318_731),
            ]
            let added = [
                ("eks/coredns", "v1.12.4-eksbuild.1", 29_014_882),
                ("eks/aws-ebs-csi-driver", "v1.48.0", 76_221_904),
                ("eks/livenessprobe", "v2.17.0-eks-1-34-4", 15_902_553),
            ]
            return preloaded.map { image in
                (
                    regions.map {
                        "602401143452.dkr.ecr.\($0).amazonaws.com/\(image.0):\(image.1)"
                    },
                    image.2
                )
            }
                + added.map { image in
                    let repository = "602401143452.dkr.ecr.us-west-2.amazonaws.com/\(image.0)"
                    return (
                        [
                            "\(repository)@sha256:\(random.hex(64))", "\(repository):\(image.1)",
                        ], image.2
                    )
                }
        },
        imageCount: 8...14)

    /// Azure AKS, Ubuntu. Nodes are born with more images than a kubelet reports.
    static let aks = NodeProfile(
        pools: ["nodepool1", "userpool"],
        name: { ordinal, pool, _ in
            let digits = String(ordinal, radix: 36)
            let padded = String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
            return "aks-\(pool)-27418035-vmss\(padded)"
        },
        labels: { node in
            let zone = "westus2-\(node.values.ordinal % 3 + 1)"
            return sorted(
                commonLabels(
                    node, instanceType: "Standard_D16s_v5", region: "westus2", zone: zone)
                    + [
                        ("agentpool", node.values.pool),
                        ("kubernetes.azure.com/agentpool", node.values.pool),
                        ("kubernetes.azure.com/cluster", "MC_simulated_cluster_westus2"),
                        (
                            "kubernetes.azure.com/consolidated-additional-properties",
                            "7c9e6679-7425-11ef-944b-e07fc1f90ae7"
                        ),
                        (
                            "kubernetes.azure.com/kubelet-identity-client-id",
                            "16fd2706-8baf-433b-82eb-8c7fada847da"
                        ),
                        ("kubernetes.azure.com/mode", "system"),
                        (
                            "kubernetes.azure.com/node-image-version",
                            "AKSUbuntu-2204gen2containerd-202610.12.0"
                        ),
                        ("kubernetes.azure.com/nodepool-type", "VirtualMachineScaleSets"),
                        ("kubernetes.azure.com/os-sku", "Ubuntu"),
                        ("kubernetes.azure.com/role", "agent"),
                        ("kubernetes.azure.com/storageprofile", "managed"),
                        ("kubernetes.azure.com/storagetier", "Premium_LRS"),
                        ("topology.disk.csi.azure.com/zone", zone),
                    ])
        },
        annotations: { node in
            [
                (
                    "csi.volume.kubernetes.io/nodeid",
                    "{\"disk.csi.azure.com\":\"\(node.name)\",\"file.csi.azure.com\":\"\(node.name)\"}"
                ),
                ("node.alpha.kubernetes.io/ttl", "0"),
                ("volumes.kubernetes.io/controller-managed-attach-detach", "true"),
            ]
        },
        providerID: { node in
            "azure:///subscriptions/3f2504e0-4f89-41d3-9a0c-0305e82c3301/resourceGroups/"
                + "mc_simulated_cluster_westus2/providers/Microsoft.Compute/virtualMachineScaleSets/"
                + "aks-\(node.values.pool)-27418035-vmss/virtualMachines/\(node.values.ordinal)"
        },
        resources: [
            ("cpu", "16"), ("ephemeral-storage", "129886128Ki"), ("hugepages-1Gi", "0"),
            ("hugepages-2Mi", "0"), ("memory", "65851340Ki"), ("pods", "110"),
        ],
        allocatable: [
            ("cpu", "15740m"), ("ephemeral-storage", "119703055367"), ("hugepages-1Gi", "0"),
            ("hugepages-2Mi", "0"), ("memory", "60971468Ki"), ("pods", "110"),
        ],
        conditions: problemDetectorConditions + [
            Condition("KubeletProblem", "KubeletIsUp", "kubelet service is up"),
            Condition(
                "ContainerRuntimeProblem", "ContainerRuntimeIsUp",
                "container runtime service is up"),
            Condition(
                "FilesystemCorruptionProblem", "FilesystemIsOK", "Filesystem is healthy"),
            Condition("VMEventScheduled", "NoVMEventScheduled", "VM has no scheduled event"),
        ] + kubeletConditions,
        nodeInfo: [
            ("kernelVersion", "5.15.0-1092-azure"), ("osImage", "Ubuntu 22.04.5 LTS"),
            ("containerRuntimeVersion", "containerd://1.7.29-1"), ("kubeletVersion", "v1.35.4"),
            ("kubeProxyVersion", ""), ("operatingSystem", "linux"), ("architecture", "amd64"),
        ],
        systemImages: { random in
            (0..<60).map { number in
                let size = 26_000_000 + Int(random.next() % 330_000_000)
                return (
                    [
                        "mcr.microsoft.com/oss/v2/kubernetes/component-\(number / 3):"
                            + "v1.\(number % 3 + 8).\(random.next() % 9)"
                    ], size
                )
            }
        },
        imageCount: 60...64)

    /// Google GKE, Container-Optimized OS.
    static let gke = NodeProfile(
        pools: ["default-pool", "batch-pool"],
        name: { _, pool, random in
            "gke-simulated-\(pool)-\(pool == "batch-pool" ? "7d21ab3c" : "a07a9b7b")-\(random.hex(6))"
        },
        labels: { node in
            let zone = ["a", "b", "f"][node.values.ordinal % 3]
            return sorted(
                commonLabels(
                    node, instanceType: "n2-standard-16", region: "us-central1",
                    zone: "us-central1-\(zone)") + gkeNodeLabels(node)
                    + [("topology.gke.io/zone", "us-central1-\(zone)")])
        },
        annotations: { node in
            let applied = gkeNodeLabels(node).map { "\($0.0)=\($0.1)" }.joined(separator: ",")
            return [
                (
                    "container.googleapis.com/instance_id",
                    String(5_507_894_143_951_423_350 + node.values.ordinal)
                ),
                (
                    "csi.volume.kubernetes.io/nodeid",
                    "{\"pd.csi.storage.gke.io\":\"projects/simulated/zones/us-central1-a/instances/"
                        + "\(node.name)\"}"
                ),
                ("node.alpha.kubernetes.io/ttl", "0"),
                ("node.gke.io/last-applied-node-labels", applied),
                ("node.gke.io/last-applied-node-taints", ""),
                ("volumes.kubernetes.io/controller-managed-attach-detach", "true"),
            ]
        },
        providerID: { node in "gce://simulated/us-central1-a/\(node.name)" },
        resources: [
            ("cpu", "16"), ("ephemeral-storage", "98831908Ki"), ("hugepages-1Gi", "0"),
            ("hugepages-2Mi", "0"), ("memory", "65840576Ki"), ("pods", "110"),
        ],
        allocatable: [
            ("cpu", "15890m"), ("ephemeral-storage", "47060071478"), ("hugepages-1Gi", "0"),
            ("hugepages-2Mi", "0"), ("memory", "60055296Ki"), ("pods", "110"),
        ],
        conditions: [
            Condition("NetworkUnavailable", "RouteCreated", "NodeController create implicit route")
        ] + problemDetectorConditions + [
            Condition(
                "CorruptDockerOverlay2", "NoCorruptDockerOverlay2",
                "docker overlay2 is functioning properly"),
            Condition(
                "DeprecatedUsingV1Alpha2Cri", "DeprecatedUsingV1Alpha2CriNotDetected",
                "No deprecation risk: did not use v1alpha2 CRI"),
            Condition(
                "DeprecatedAuthsFieldInContainerdConfiguration",
                "DeprecatedAuthsFieldInContainerdConfigurationNotDetected",
                "No deprecation risk: no 'auths' field in containerd's configuration"),
            Condition(
                "DeprecatedPullingSchemaV1Image", "DeprecatedPullingSchemaV1ImageNotDetected",
                "No deprecation risk: did not pull any schema v1 images"),
            Condition(
                "SysctlChanged", "NodeSysctlChange",
                "{\"managed\": {\"net.core.somaxconn\": \"2048\"}}", isTrue: true),
        ] + kubeletConditions,
        nodeInfo: [
            ("kernelVersion", "6.6.72+"), ("osImage", "Container-Optimized OS from Google"),
            ("containerRuntimeVersion", "containerd://2.0.6"),
            ("kubeletVersion", "v1.34.1-gke.2037000"), ("kubeProxyVersion", ""),
            ("operatingSystem", "linux"), ("architecture", "amd64"),
        ],
        systemImages: { random in
            (0..<20).map { number in
                let mirrors = ["asia.gcr.io", "eu.gcr.io", "gcr.io", "us.gcr.io", "gke.gcr.io"]
                let digest = "sha256:\(random.hex(64))"
                let name = "gke-release/component-\(number)"
                let shown =
                    number % 10 < 6 ? mirrors : Array(mirrors.suffix(number % 10 < 9 ? 1 : 3))
                return (
                    shown.map { mirror in
                        mirror == "gke.gcr.io" && number % 4 == 0
                            ? "\(mirror)/\(name):v1.\(number).0-gke.3@\(digest)"
                            : "\(mirror)/gke-release-staging/\(name)@\(digest)"
                    }, 310_000 + Int(random.next() % 250_000_000)
                )
            }
        },
        imageCount: 20...25)

    private static func gkeNodeLabels(_ node: SimulatedNode) -> [(String, String)] {
        [
            ("cloud.google.com/gke-boot-disk", "pd-balanced"),
            ("cloud.google.com/gke-container-runtime", "containerd"),
            ("cloud.google.com/gke-cpu-scaling-level", "16"),
            ("cloud.google.com/gke-logging-variant", "DEFAULT"),
            ("cloud.google.com/gke-max-pods-per-node", "110"),
            ("cloud.google.com/gke-memory-gb-scaling-level", "64"),
            ("cloud.google.com/gke-nodepool", node.values.pool),
            ("cloud.google.com/gke-os-distribution", "cos"),
            ("cloud.google.com/gke-provisioning", "standard"),
            ("cloud.google.com/gke-stack-type", "IPV4"),
            ("cloud.google.com/machine-family", "n2"),
            ("cloud.google.com/private-node", "false"),
        ]
    }

    /// Map keys come sorted from a kube-apiserver.
    private static func sorted(_ pairs: [(String, String)]) -> [(String, String)] {
        pairs.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
    }

    /// 10.0.0.0/8 by ordinal.
    static func address(_ ordinal: Int) -> String {
        "10.\(ordinal >> 16 & 255).\(ordinal >> 8 & 255).\(ordinal & 255)"
    }

    private static func instance(_ node: SimulatedNode) -> String {
        var random = SeededRandom(seed: UInt64(node.values.ordinal) ^ 0xec2)
        return "i-0" + random.hex(16)
    }
}
