//! The facts that the engine eats.
