import ArgumentParser
import ImageAlerts

/// When a node's images count as changed.
struct DetectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kubelets' nodeStatusMaxImages: at most so many images are listed; -1: no limit. "
                + "Without this, 50 until a node of the pool lists more.", valueName: "count"))
    var nodeStatusMaxImages: Int?

    @Option(
        help: ArgumentHelp(
            "For so long after its creation or a reboot a node is not compared: what a new one has then is "
                + "its first state; after a reboot what differs is told. 0: at once.",
            valueName: "time"))
    var warmUp = TimeoutArgument(duration: ImageChangeDetector.Options().warmUp)

    func validate() throws {
        if let count = nodeStatusMaxImages, count < -1 || count == 0 {
            throw ValidationError("--node-status-max-images must be -1 or at least 1.")
        }
    }

    var options: ImageChangeDetector.Options {
        var options = ImageChangeDetector.Options()
        if let count = nodeStatusMaxImages { options.cap = count == -1 ? .none : .images(count) }
        options.warmUp = warmUp.duration ?? .zero
        return options
    }
}
