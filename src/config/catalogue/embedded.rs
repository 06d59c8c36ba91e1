//! The built-in provider files, in the order of their ids. A test fails if a file is missing here.

/// Id and text of every built-in provider file.
pub(super) const FILES: &[(&str, &str)] = &[
    ("claude", include_str!("../providers/claude.toml")),
    ("codex", include_str!("../providers/codex.toml")),
    ("demo-device", include_str!("../providers/demo-device.toml")),
    ("demo-hang", include_str!("../providers/demo-hang.toml")),
    ("demo-loopback", include_str!("../providers/demo-loopback.toml")),
    ("gcloud", include_str!("../providers/gcloud.toml")),
    ("gh", include_str!("../providers/gh.toml")),
    ("oidc-gen", include_str!("../providers/oidc-gen.toml")),
];
