//! Sessions by the numbers of behaviour S: what goes in, what is shown and ordered.

mod endings;
mod evidence;
mod findings;
mod flow;
mod pastes;
