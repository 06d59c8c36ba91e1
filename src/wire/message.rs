//! Messages out of bytes and bytes out of messages (RFC 6455 section 5), without a stream.

use std::io::{self, Cursor};

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use zeroize::{Zeroize as _, Zeroizing};

use crate::protocol::frame::Frame;

/// Bytes of a buffer, which grows for a longer frame and shrinks again behind it.
const BUFFER: usize = 16 * 1024;

/// The longest payload of a control frame, in bytes (RFC 6455 section 5.5).
const LONGEST_CONTROL: u64 = 125;

/// Which end of a connection: a client masks what it sends, a server does not (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

/// Why bytes are no message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// More than this side takes.
    #[error("a message is longer than {longest} bytes")]
    TooLong {
        /// How many bytes it takes.
        longest: usize,
    },
    /// A frame is not as RFC 6455 wants it.
    #[error("a WebSocket frame {0}")]
    Frame(&'static str),
    /// Text is not UTF-8.
    #[error("a text message is not UTF-8")]
    NotText,
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Text(Frame),
    Binary,
    Ping(Frame),
    Pong,
    Close,
}

/// Finds messages in bytes. What is no whole message yet lies here and nowhere else.
#[derive(Debug)]
pub(super) struct Incoming {
    role: Role,
    longest: usize,
    buffer: Frame,
    start: usize,
    end: usize,
    /// What was there of a message of several frames.
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    payload: Frame,
    is_text: bool,
}

impl Incoming {
    /// Takes messages of `longest` bytes at most; `unread` comes first.
    pub(super) fn new(role: Role, unread: &[u8], longest: usize) -> Self {
        let buffer = Zeroizing::new(unread.to_vec());
        Self { role, longest, end: buffer.len(), buffer, start: 0, begun: None }
    }

    pub(super) fn set_longest(&mut self, longest: usize) {
        self.longest = longest;
    }

    /// Returns the room for what is read next; never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.end == self.buffer.len() {
            let kept = self.end - self.start;
            let mut larger = Zeroizing::new(vec![0; BUFFER.max(2 * kept)]);
            larger[..kept].copy_from_slice(&self.buffer[self.start..self.end]);
            (self.buffer, self.start, self.end) = (larger, 0, kept);
        }
        &mut self.buffer[self.end..]
    }

    /// So many bytes were read into the room.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// Takes the next message; absent until more is read.
    ///
    /// # Errors
    /// The other side does not keep to the protocol. Nothing more can be taken.
    pub(super) fn next(&mut self) -> Result<Option<Message>, MessageError> {
        while let Some((header, payload)) = self.next_frame()? {
            let is_text = match header.opcode {
                OpCode::Control(Control::Ping) => return Ok(Some(Message::Ping(payload))),
                OpCode::Control(Control::Pong) => return Ok(Some(Message::Pong)),
                OpCode::Control(Control::Close | Control::Reserved(_)) => return Ok(Some(Message::Close)),
                OpCode::Data(data) => data == Data::Text,
            };
            let message = match self.begun.take() {
                None => Begun { payload, is_text },
                Some(mut begun) => {
                    append(&mut begun.payload, &payload);
                    begun
                }
            };
            if header.is_final {
                return message.finish().map(Some);
            }
            self.begun = Some(message);
        }
        Ok(None)
    }

    fn next_frame(&mut self) -> Result<Option<(FrameHeader, Frame)>, MessageError> {
        let there = &self.buffer[self.start..self.end];
        let mut cursor = Cursor::new(there);
        let parsed =
            FrameHeader::parse(&mut cursor).map_err(|_| MessageError::Frame("is of no known kind"))?;
        let Some((header, length)) = parsed else { return Ok(None) };
        let begin = self.start + usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let length = self.check(&header, length)?;
        let Some(payload) = self.buffer[..self.end].get_mut(begin..begin + length) else { return Ok(None) };
        mask(payload, header.mask);
        let taken = Zeroizing::new(payload.to_vec());
        payload.zeroize();
        self.start = begin + length;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > BUFFER {
                self.buffer = Frame::default();
            }
        }
        Ok(Some((header, taken)))
    }

    /// Makes sure that the frame is one that may come now, before its payload is waited for. Returns its length.
    fn check(&self, header: &FrameHeader, length: u64) -> Result<usize, MessageError> {
        let frame = |what| Err(MessageError::Frame(what));
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return frame("uses an extension that was not agreed on");
        }
        if header.mask.is_some() != (self.role == Role::Server) {
            return frame("is masked and must not be, or is not and must be");
        }
        let begun = self.begun.as_ref().map_or(0, |begun| begun.payload.len());
        match header.opcode {
            OpCode::Control(_) if !header.is_final || length > LONGEST_CONTROL => {
                return frame("for control is too long or in pieces");
            }
            OpCode::Data(data) if (data == Data::Continue) != self.begun.is_some() => {
                return frame("continues no message, or begins one within another");
            }
            OpCode::Control(_) | OpCode::Data(_) => {}
        }
        let length =
            usize::try_from(length).ok().filter(|length| *length <= self.longest - begun.min(self.longest));
        length.ok_or(MessageError::TooLong { longest: self.longest })
    }

    /// Returns what was read and belongs to no message that was taken, as bytes that mean the same: the frames of a
    /// message that is not whole as one.
    pub(super) fn unread(&self) -> Frame {
        let mut bytes = Frame::default();
        if let Some(Begun { payload, is_text }) = &self.begun {
            let data = if *is_text { Data::Text } else { Data::Binary };
            let mask = (self.role == Role::Server).then_some([0; 4]);
            let header =
                FrameHeader { is_final: false, opcode: OpCode::Data(data), mask, ..FrameHeader::default() };
            write_frame(&mut bytes, &header, payload);
        }
        append(&mut bytes, &self.buffer[self.start..self.end]);
        bytes
    }
}

impl Begun {
    fn finish(self) -> Result<Message, MessageError> {
        match (self.is_text, std::str::from_utf8(&self.payload)) {
            (false, _) => Ok(Message::Binary),
            (true, Ok(_)) => Ok(Message::Text(self.payload)),
            (true, Err(_)) => Err(MessageError::NotText),
        }
    }
}

/// Collects what is to be written.
#[derive(Debug)]
pub(super) struct Outgoing {
    role: Role,
    buffer: Frame,
    start: usize,
}

impl Outgoing {
    /// `unsent` goes first.
    pub(super) fn new(role: Role, unsent: &[u8]) -> Self {
        Self { role, buffer: Zeroizing::new(unsent.to_vec()), start: 0 }
    }

    /// Adds a frame that is a message.
    ///
    /// # Errors
    /// The system gives no randomness to mask it with.
    pub(super) fn add(&mut self, opcode: OpCode, payload: &[u8]) -> io::Result<()> {
        let header = self.header(opcode)?;
        write_frame(&mut self.buffer, &header, payload);
        Ok(())
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "nothing depends on it: the other side takes the mask off again"
    )]
    fn header(&self, opcode: OpCode) -> io::Result<FrameHeader> {
        let mask = match self.role {
            Role::Server => None,
            Role::Client => {
                let mut mask = [0; 4];
                getrandom::fill(&mut mask).map_err(io::Error::other)?;
                Some(mask)
            }
        };
        Ok(FrameHeader { is_final: true, opcode, mask, ..FrameHeader::default() })
    }

    /// Returns what is to be written.
    pub(super) fn unsent(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// So many bytes of it were written.
    pub(super) fn written(&mut self, count: usize) {
        self.start += count;
        if self.start == self.buffer.len() {
            self.start = 0;
            if self.buffer.capacity() > BUFFER {
                self.buffer = Frame::default();
            } else {
                self.buffer.as_mut_slice().zeroize();
                self.buffer.clear();
            }
        }
    }

    /// Returns what is to be written, with further text messages behind it.
    pub(super) fn unsent_with<'a>(&self, texts: impl Iterator<Item = &'a Frame>) -> io::Result<Frame> {
        let mut bytes = Zeroizing::new(self.unsent().to_vec());
        for text in texts {
            write_frame(&mut bytes, &self.header(OpCode::Data(Data::Text))?, text);
        }
        Ok(bytes)
    }
}

fn write_frame(bytes: &mut Frame, header: &FrameHeader, payload: &[u8]) {
    let length = payload.len() as u64;
    make_room(bytes, header.len(length) + payload.len());
    header.format(length, &mut **bytes).expect("invariant: a vector takes whatever is written to it");
    let begin = bytes.len();
    bytes.extend_from_slice(payload);
    mask(&mut bytes[begin..], header.mask);
}

fn append(bytes: &mut Frame, more: &[u8]) {
    make_room(bytes, more.len());
    bytes.extend_from_slice(more);
}

/// Makes room without leaving a copy of what may be secret behind, as growing in place would.
fn make_room(bytes: &mut Frame, more: usize) {
    let needed = bytes.len() + more;
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * bytes.capacity())));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
}

/// RFC 6455 section 5.3.
fn mask(payload: &mut [u8], mask: Option<[u8; 4]>) {
    let Some(mask) = mask else { return };
    for four in payload.chunks_mut(mask.len()) {
        for (byte, key) in four.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests;
