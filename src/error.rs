//! Errors for people: what failed, why, what to do next, and the exit code.
