//! Queries of a child that the emulator ignores, and how they reach it all the same.
//!
//! The tap recognises them in the bytes and puts the query for a private mode (DECRQM) in their place, under a number
//! that no terminal has: so they are answered in the order in which they were asked, by the state of that moment.

/// The number of the first marked mode.
const MARKED: u16 = 64_001;
/// The longest device control string that is looked at as a query; real ones have some tens of bytes.
pub(super) const STRING_BYTES: usize = 256;
/// The most names that one XTGETTCAP is answered for.
const NAMES: usize = 16;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// XTVERSION, `CSI > q`.
    Version,
    /// `CSI 16 t`.
    CellSize,
    /// XTGETTCAP, `DCS + q`, for the terminal's name.
    TerminalName,
    /// XTGETTCAP for the number of colours.
    Colours,
    /// XTGETTCAP for the bits of a direct colour.
    DirectColour,
    /// XTGETTCAP for any other name.
    UnknownCapability,
    /// DECRQSS, `DCS $ q`, for the pen (SGR).
    Pen,
    /// DECRQSS for the scroll region (DECSTBM).
    ScrollRegion,
    /// DECRQSS for the form of the cursor (DECSCUSR).
    CursorForm,
    /// DECRQSS for any other setting.
    UnknownSetting,
}

const ALL: [Query; 10] = [
    Query::Version,
    Query::CellSize,
    Query::TerminalName,
    Query::Colours,
    Query::DirectColour,
    Query::UnknownCapability,
    Query::Pen,
    Query::ScrollRegion,
    Query::CursorForm,
    Query::UnknownSetting,
];

impl Query {
    /// The query that is asked under a private mode's number, if it is one of these.
    pub fn of_mode(mode: u16) -> Option<Self> {
        ALL.get(usize::from(mode.checked_sub(MARKED)?)).copied()
    }

    /// The bytes that ask the emulator.
    pub fn marked(self) -> Vec<u8> {
        let place = ALL.iter().position(|query| *query == self).unwrap_or_default();
        format!("\x1b[?{}$p", usize::from(MARKED) + place).into_bytes()
    }
}

/// The queries in a device control string, whose content is given without `ESC P` and its end; none if it is no query.
pub(super) fn of_string(content: &[u8]) -> Vec<Query> {
    match content {
        [b'+', b'q', names @ ..] => names.split(|byte| *byte == b';').take(NAMES).map(capability).collect(),
        [b'$', b'q', setting @ ..] => vec![match setting {
            b"m" => Query::Pen,
            b"r" => Query::ScrollRegion,
            b" q" => Query::CursorForm,
            _ => Query::UnknownSetting,
        }],
        _ => Vec::new(),
    }
}

/// Names come in hexadecimal digits (xterm's control sequences, "Request Termcap/Terminfo String").
fn capability(hexadecimal: &[u8]) -> Query {
    let digits =
        hexadecimal.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    match digits.collect::<Option<Vec<u8>>>().as_deref() {
        Some(b"TN" | b"name") => Query::TerminalName,
        Some(b"Co" | b"colors") => Query::Colours,
        Some(b"RGB") => Query::DirectColour,
        Some(_) | None => Query::UnknownCapability,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_comes_back_by_its_mark() {
        for query in ALL {
            let bytes = String::from_utf8(query.marked()).unwrap();
            let mode = bytes.trim_start_matches("\x1b[?").trim_end_matches("$p").parse().unwrap();
            assert_eq!(Query::of_mode(mode), Some(query));
        }
        assert_eq!(Query::of_mode(2004), None);
        assert_eq!(Query::of_mode(u16::MAX), None);
    }

    #[test]
    fn names_are_read_in_either_case_and_nonsense_is_unknown() {
        assert_eq!(
            of_string(b"+q544e;436F;524742"),
            [Query::TerminalName, Query::Colours, Query::DirectColour]
        );
        for nonsense in [&b"+q"[..], b"+q5", b"+qzz", b"+q6B75", b"+q+5+4"] {
            assert_eq!(of_string(nonsense), [Query::UnknownCapability], "{nonsense:?}");
        }
        assert_eq!(of_string(&[b"+q".as_slice(), &b";".repeat(200)].concat()).len(), NAMES);
    }

    #[test]
    fn settings_that_are_known_are_told_apart() {
        assert_eq!(of_string(b"$qm"), [Query::Pen]);
        assert_eq!(of_string(b"$qr"), [Query::ScrollRegion]);
        assert_eq!(of_string(b"$q q"), [Query::CursorForm]);
        assert_eq!(of_string(b"$q\"p"), [Query::UnknownSetting]);
        assert!(of_string(b"q#0").is_empty());
    }
}
