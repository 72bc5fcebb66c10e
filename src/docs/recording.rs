//! Events recorded: what it keeps, what it loses, what it costs.
