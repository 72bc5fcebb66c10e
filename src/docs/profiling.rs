//! Latencies, rates and stacks, by probes. (Feature `profile`.)
