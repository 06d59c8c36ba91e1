//! What stands in front of each payload: its length and its kind.

/// Bytes in front of each payload: the length and the kind.
pub const HEADER: usize = 5;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An [`Order`].
    Order,
    /// A [`Report`].
    Report,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Order => 1,
            Self::Report => 3,
        }
    }

    /// Reads the kind's byte; `None` for one that this version does not know.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Order),
            3 => Some(Self::Report),
            _ => None,
        }
    }
}

/// Makes the header of a frame. Payloads are far below 4 GiB by construction; a longer one would be refused.
pub fn header(kind: Kind, payload: usize) -> [u8; HEADER] {
    let length = u32::try_from(payload).unwrap_or(u32::MAX).to_be_bytes();
    [length[0], length[1], length[2], length[3], kind.code()]
}

/// Reads a header: the payload's length and the kind's byte.
pub fn parse_header(bytes: [u8; HEADER]) -> (usize, u8) {
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    (length as usize, bytes[4])
}
