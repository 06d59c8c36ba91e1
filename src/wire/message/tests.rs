use proptest::prelude::*;

use super::*;

/// A frame as a client writes it, which may be one of several of a message.
fn frame(is_final: bool, opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader { is_final, opcode, mask: Some([1, 2, 3, 4]), ..FrameHeader::default() };
    let mut bytes = Frame::default();
    write_frame(&mut bytes, &header, payload);
    bytes.to_vec()
}

const TEXT: OpCode = OpCode::Data(Data::Text);
const REST: OpCode = OpCode::Data(Data::Continue);
const PING: OpCode = OpCode::Control(Control::Ping);

fn read(incoming: &mut Incoming, bytes: &[u8]) -> Result<Vec<Message>, MessageError> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = incoming.room();
        let count = room.len().min(rest.len());
        room[..count].copy_from_slice(&rest[..count]);
        incoming.filled(count);
        rest = &rest[count..];
        while let Some(message) = incoming.next()? {
            messages.push(message);
        }
    }
    Ok(messages)
}

fn server() -> Incoming {
    Incoming::new(Role::Server, &[], 1_000_000)
}

#[test]
fn a_message_comes_in_pieces_with_a_ping_between_them() {
    let pieces =
        [frame(false, TEXT, b"one "), frame(true, PING, b"there?"), frame(true, REST, b"two")].concat();
    let messages = read(&mut server(), &pieces).unwrap();
    let text = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    assert_eq!(messages, [Message::Ping(text(b"there?")), Message::Text(text(b"one two"))]);
}

#[test]
fn what_no_frame_may_be_is_refused() {
    let long = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0].to_vec();
    let cases: [(&str, Vec<u8>); 9] = [
        ("a length that no frame can have", long),
        ("longer than is taken", frame(true, TEXT, &[b'x'; 1_000_001])),
        ("not masked", vec![0x81, 0x01, b'x']),
        ("an extension", vec![0xc1, 0x80, 0, 0, 0, 0]),
        ("of no known kind", vec![0x83, 0x80, 0, 0, 0, 0]),
        ("continues nothing", frame(true, REST, b"x")),
        ("within another", [frame(false, TEXT, b"x"), frame(true, TEXT, b"y")].concat()),
        ("a long ping", frame(true, PING, &[0; 126])),
        ("no UTF-8", frame(true, TEXT, &[0xff, 0xfe])),
    ];
    for (what, bytes) in cases {
        assert!(read(&mut server(), &bytes).is_err(), "{what}");
    }
    let pieces = [frame(false, TEXT, &[b'x'; 600_000]), frame(true, REST, &[b'x'; 600_000])].concat();
    assert_eq!(read(&mut server(), &pieces), Err(MessageError::TooLong { longest: 1_000_000 }));
    let masked = frame(true, TEXT, b"x");
    assert!(read(&mut Incoming::new(Role::Client, &[], 10), &masked).is_err(), "a server masks nothing");
}

#[test]
fn what_was_taken_is_wiped() {
    let mut incoming = server();
    read(&mut incoming, &frame(true, TEXT, b"a canary in a frame")).unwrap();
    assert!(!incoming.buffer.windows(6).any(|part| part == b"canary"));
    let mut outgoing = Outgoing::new(Role::Server, &[]);
    outgoing.add(TEXT, b"a canary in a frame").unwrap();
    let length = outgoing.unsent().len();
    outgoing.written(length);
    outgoing.buffer.resize(length, 1);
    assert!(!outgoing.buffer.windows(6).any(|part| part == b"canary"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A connection may be given to another process at any byte.
    #[test]
    fn messages_are_the_same_wherever_the_bytes_are_cut_and_given_to_another_reader(
        lengths in prop::collection::vec((prop_oneof![0..200_usize, 16_000..17_000_usize, 60_000..70_000_usize], 1..4_usize), 0..6),
        cuts in prop::collection::vec(1..30_000_usize, 1..20),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for (length, pieces) in lengths {
            let text: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
            let size = length.div_ceil(pieces).max(1);
            let count = text.chunks(size).count().max(1);
            for number in 0..count {
                let piece = text.chunks(size).nth(number).unwrap_or_default();
                bytes.extend(frame(number + 1 == count, if number == 0 { TEXT } else { REST }, piece));
            }
            expected.push(Message::Text(Zeroizing::new(text)));
        }
        let (mut incoming, mut got) = (server(), Vec::new());
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let count = rest.len().min(*cuts.next().unwrap());
            got.extend(read(&mut incoming, &rest[..count]).unwrap());
            rest = &rest[count..];
            incoming = Incoming::new(Role::Server, &incoming.unread(), 1_000_000);
        }
        prop_assert!(incoming.unread().is_empty());
        prop_assert_eq!(got, expected);
    }
}
