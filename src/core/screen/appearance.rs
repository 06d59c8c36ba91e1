//! The words for what stands on a screen: rows of styled runs, cursor, modes. They cross the wire as they are.
//!
//! Text in a run has no control, bidirectional or zero-width format character in it (see [`super::visible`]). Measure
//! it character by character: `unicode-width` of a `char` is the number of columns it takes here, 0 for a combining
//! mark. (Of a whole string it may be less: that measure joins emoji sequences, which this screen does not.)

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A colour: none (the terminal's own; null on the wire), one of 256 (a number), or red, green and blue (three).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colour {
    /// The terminal's default.
    #[default]
    Default,
    /// An entry of the 256-colour palette; 0-15 are the theme's.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Default => serializer.serialize_unit(),
            Self::Indexed(index) => serializer.serialize_u8(*index),
            Self::Rgb(red, green, blue) => (red, green, blue).serialize(serializer),
        }
    }
}

/// Written out, because a derived untagged reader makes an intermediate value of each colour, and a frame has
/// thousands.
impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColourVisitor)
    }
}

impl JsonSchema for Colour {
    fn schema_name() -> Cow<'static, str> {
        "Colour".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let part = json_schema!({"type": "integer", "minimum": 0, "maximum": 255});
        json_schema!({
            "description": "Null: the terminal's own. A number: one of 256. Three: red, green, blue.",
            "oneOf": [
                {"type": "null"},
                part,
                {"type": "array", "items": part, "minItems": 3, "maxItems": 3},
            ],
        })
    }
}

struct ColourVisitor;

impl<'de> Visitor<'de> for ColourVisitor {
    type Value = Colour;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("null, a number up to 255, or three of them")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Colour, E> {
        Ok(Colour::Default)
    }

    fn visit_u64<E: de::Error>(self, index: u64) -> Result<Colour, E> {
        let unexpected = || E::invalid_value(de::Unexpected::Unsigned(index), &self);
        u8::try_from(index).map(Colour::Indexed).map_err(|_| unexpected())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Colour, A::Error> {
        let mut part = |at| parts.next_element()?.ok_or_else(|| de::Error::invalid_length(at, &self));
        Ok(Colour::Rgb(part(0)?, part(1)?, part(2)?))
    }
}

/// Bits of [`Style::attributes`].
pub mod attribute {
    /// Bold.
    pub const BOLD: u16 = 1;
    /// Faint.
    pub const DIM: u16 = 2;
    /// Italic.
    pub const ITALIC: u16 = 4;
    /// Underlined.
    pub const UNDERLINE: u16 = 8;
    /// Foreground and background swapped.
    pub const REVERSE: u16 = 16;
    /// Hidden by the child; drawn as blanks.
    pub const HIDDEN: u16 = 32;
    /// Struck through.
    pub const STRIKE: u16 = 64;
}

/// How a run looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Style {
    /// Colour of the text.
    #[serde(rename = "f", default, skip_serializing_if = "is_default")]
    pub foreground: Colour,
    /// Colour behind it.
    #[serde(rename = "b", default, skip_serializing_if = "is_default")]
    pub background: Colour,
    /// Bits of [`attribute`].
    #[serde(rename = "a", default, skip_serializing_if = "is_default")]
    pub attributes: u16,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A stretch of one row with one style. Runs of a row follow each other without gaps from column 0; what is
/// missing at the end is blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The text; wide characters take two columns (`unicode-width` agrees with the emulator).
    #[serde(rename = "t")]
    pub text: String,
    /// Its style; absent: the default.
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    pub style: Style,
}

/// One row of the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Row number from the top of the visible screen, 0 based; in a history answer the absolute line number.
    #[serde(rename = "n")]
    pub number: u64,
    /// Whether the line goes on in the next row because the terminal wrapped it.
    #[serde(rename = "w", default, skip_serializing_if = "is_default")]
    pub wrapped: bool,
    /// Its text.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
}

/// Where the child's cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cursor {
    /// Row from the top, 0 based.
    pub row: u16,
    /// Column from the left, 0 based.
    pub column: u16,
}

/// The modes that decide how a client encodes keys and pastes for this child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Modes {
    /// DECCKM: arrow keys send `ESC O`.
    pub application_cursor: bool,
    /// DECPAM.
    pub application_keypad: bool,
    /// DECSET 2004.
    pub bracketed_paste: bool,
    /// The child is on the alternate screen, which has no history.
    pub alternate_screen: bool,
    /// The child asked for mouse reports.
    pub mouse: bool,
}
