extension RuleFile {
    /// Rules to begin with: quiet on a cluster that is well.
    public static let example = """
        # Check: plimsoll rules validate FILE. Try: plimsoll rules test, plimsoll replay --rules FILE.
        version: 1
        rules:
          # Every change of the images on a node, for the record.
          - name: image-storage-changed
            type: storage-changed
            severity: info

          # A lot at once. Several small pulls add up.
          - name: fast-growth
            type: delta
            over: 10GiB
            window: 10m
            severity: warning

          # Kubelets collect garbage between 85 % and 80 %: what stays above that is in trouble. Looks at
          # what kubelets say (--image-fs), or at reported sizes where those are of unpacked images.
          - name: filesystem-nearly-full
            type: high
            above: 88%
            clear: 80%
            for: 15m
            severity: warning

          - name: disk-pressure
            type: disk-pressure
            for: 2m
            severity: critical

          # Everything unused went at once: space had run out.
          - name: reclaimed
            type: sudden-drop
            over: 25%
            classifications: [eviction-reclaim]
            severity: warning

          - name: big-image
            type: big-image
            over: 10GiB
            cooldown: 1h
            severity: info

          # No alert must not mean blind.
          - name: stream-stale
            type: stream-stale
            after: 150s
            severity: critical

          - name: node-silent
            type: node-silent
            after: 15m
            severity: warning

        """
}
