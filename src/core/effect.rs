//! The orders that the engine gives.
