//! The registry of parked challenges (behaviour C).
