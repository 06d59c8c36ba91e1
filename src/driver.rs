//! Everything that touches the world on the engine's behalf.
