//! The pieces in which output arrives make no difference to what is found.

use authdeck::commands::detect::{Input, Piece, Report, detect};
use proptest::prelude::*;

use super::detect_corpus::cases;

/// The same output in pieces of these sizes, over and over.
fn cut(input: &Input, sizes: &[usize]) -> Input {
    let whole: Vec<u8> = input
        .pieces
        .iter()
        .flat_map(|piece| match piece {
            Piece::Output(bytes) => bytes.clone(),
            Piece::Resize(_) => panic!("no recording of the corpus changes its size"),
        })
        .collect();
    let mut pieces = Vec::new();
    let mut rest = whole.as_slice();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at((*size).min(rest.len()));
        pieces.push(Piece::Output(piece.to_vec()));
        rest = behind;
    }
    Input { pieces, ..input.clone() }
}

fn found(input: &Input) -> Report {
    detect(input, None, None)
}

#[test]
fn byte_by_byte_is_the_same_as_at_once() {
    for case in cases("casts").into_iter().filter(|case| case.name.ends_with("-80")) {
        let whole = found(&cut(&case.input, &[usize::MAX]));
        assert_eq!(found(&cut(&case.input, &[1])), whole, "{}", case.name);
        assert_eq!(found(&case.input), whole, "{} as it was recorded", case.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_find_the_same(
        index in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1_usize..600, 1..40),
    ) {
        let cases = corpus();
        let case = index.get(cases);
        let whole = found(&cut(&case.input, &[usize::MAX]));
        prop_assert_eq!(found(&cut(&case.input, &sizes)), whole, "{}", case.name);
    }
}

/// All recordings, logins and others, read once.
fn corpus() -> &'static [super::detect_corpus::Case] {
    static ALL: std::sync::LazyLock<Vec<super::detect_corpus::Case>> = std::sync::LazyLock::new(|| {
        let mut all = cases("casts");
        all.extend(cases("negative"));
        all
    });
    &ALL
}
