//! Credentials of the local API (behaviour W2).
