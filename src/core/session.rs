//! One login session as a state machine (behaviour S).
