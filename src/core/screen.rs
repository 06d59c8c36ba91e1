//! The child's terminal: bytes to grid, history, and the replies owed to the child.
