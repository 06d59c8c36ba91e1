//! How much at the start of some bytes is of one kind.

/// Counts the bytes before the first that is not of the kind. Looks at sixteen of them at once: most of what children
/// print is long stretches of text.
#[inline]
pub(super) fn leading(bytes: &[u8], is_of_kind: impl Fn(&u8) -> bool) -> usize {
    const BLOCK: usize = 16;
    let is_whole = |block: &&[u8]| block.iter().filter(|byte| is_of_kind(byte)).count() == BLOCK;
    let whole = BLOCK * bytes.chunks_exact(BLOCK).take_while(is_whole).count();
    whole + bytes[whole..].iter().position(|byte| !is_of_kind(byte)).unwrap_or(bytes.len() - whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_ends_at_the_first_other_byte_wherever_it_is() {
        for length in 0..70 {
            for other in 0..=length {
                let mut bytes = vec![b'a'; length];
                bytes[other..].fill(b'\n');
                assert_eq!(leading(&bytes, u8::is_ascii_lowercase), other);
            }
        }
    }
}
