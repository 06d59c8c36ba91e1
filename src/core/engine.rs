//! The engine: `handle(now, Input) -> Vec<Effect>` and `next_deadline()`.
