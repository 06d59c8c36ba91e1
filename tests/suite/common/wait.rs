//! Waiting for a named condition: the only place of the suite that lets time pass.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine with two cores to start a slow CLI. Nothing is measured by it.
pub const GENEROUS: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(25);

/// Looks at `probe` until it gives a value, and returns that.
///
/// The probe answers `Err` with what is there instead: the screen, a log, a list. When the limit is over that is what
/// the panic shows, under the condition's name.
pub fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + limit;
    loop {
        match probe() {
            Ok(value) => return value,
            Err(instead) if Instant::now() >= end => {
                panic!(
                    "not within {} s: {what}\n--- instead ---\n{instead}\n---------------",
                    limit.as_secs()
                )
            }
            Err(_) => thread::sleep(INTERVAL),
        }
    }
}

/// Waits until `predicate` holds; `evidence` is shown if it never does.
pub fn wait_until(what: &str, mut predicate: impl FnMut() -> bool, evidence: impl Fn() -> String) {
    wait_for(what, GENEROUS, || if predicate() { Ok(()) } else { Err(evidence()) });
}

/// Makes sure that a condition that holds now goes on to hold for `span`; for what must *not* happen.
pub fn holds_for(
    what: &str,
    span: Duration,
    mut predicate: impl FnMut() -> bool,
    evidence: impl Fn() -> String,
) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        assert!(predicate(), "ceased to hold: {what}\n--- instead ---\n{}\n---------------", evidence());
        thread::sleep(INTERVAL);
    }
}

#[test]
#[should_panic(expected = "not within 0 s: the light is on\n--- instead ---\nit is dark")]
fn a_wait_that_fails_says_what_it_waited_for_and_what_was_there() {
    wait_for::<()>("the light is on", Duration::ZERO, || Err("it is dark".into()));
}
