//! A keeper's output: no byte lost, none doubled, whoever attaches and whenever.

use super::common::keeper::{Session, until};

use authdeck::driver::keeper_link::KeeperEvent;

#[tokio::test]
async fn what_the_child_prints_arrives_and_its_end_is_told() {
    let session = Session::start(&["sh", "-c", "printf hello; exit 3"], |_| {}).await;
    let (_handle, mut events, hello) = session.attach(None).await;
    assert_eq!(hello.credential.secret(), "internal-credential-of-the-test");
    let (mut text, mut code) = (Vec::new(), None);
    until("exit and the output's end", &mut events, |event| match event {
        KeeperEvent::Output { bytes, .. } => {
            text.extend_from_slice(bytes);
            None
        }
        KeeperEvent::Exited(exit) => {
            code = exit.code;
            None
        }
        KeeperEvent::OutputEnded { offset } => Some(assert_eq!(*offset, 5)),
        other => panic!("unexpected: {other:?}"),
    })
    .await;
    assert_eq!((text, code), (b"hello".to_vec(), Some(3)));
}
