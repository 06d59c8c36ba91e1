//! Finds URLs, codes, prompts and outcomes on a screen.
