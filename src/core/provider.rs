//! An entry of the provider catalogue, resolved.
