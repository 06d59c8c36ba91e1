//! Login sessions end to end in the supervisor, with real keepers (behaviour S).

use authdeck::core::status::Status;

use crate::common::supervisor::Supervisor;

#[test]
fn s03_every_line_is_recorded_in_order() {
    let supervisor = Supervisor::start();
    let session = supervisor.run("for line in $(seq 1 300); do echo \"line $line\"; done");
    assert!(matches!(supervisor.wait_over(&session), Status::Success { .. }));
    let expected: String = (1..=300).map(|line| format!("line {line}\n")).collect();
    assert_eq!(supervisor.transcript(&session), expected);
}
