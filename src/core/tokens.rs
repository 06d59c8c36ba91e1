//! The forms of tokens that tell by themselves what they are: one table for everybody who masks, looks or skips.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What stands in place of a secret's character.
pub const MASK_SIGN: char = '•';

/// What stands in place of a secret whose length is not to be told.
pub const MASK: &str = "••••••••";

/// A form of token, as its vendor documents it.
#[derive(Debug)]
pub struct TokenForm {
    /// Whose it is.
    pub vendor: &'static str,
    /// What every token of this form has in it, in lower case; a line without it needs no closer look.
    pub parts: &'static [&'static str],
    /// The expression; it begins at the beginning of a word.
    pub expression: &'static str,
    /// A text that matches: how it begins, and what follows, repeated so often. In parts, so that no scanner takes
    /// it for a leaked one.
    pub example: (&'static str, &'static str, usize),
    /// A text that looks alike and must not match.
    pub counter_example: &'static str,
}

macro_rules! token_forms {
    ($($vendor:literal, $parts:expr, $expression:literal, $example:expr, $counter_example:literal;)*) => {
        /// Every known form.
        pub static TOKEN_FORMS: &[TokenForm] = &[
            $(TokenForm {
                vendor: $vendor,
                parts: &$parts,
                expression: $expression,
                example: $example,
                counter_example: $counter_example,
            },)*
        ];
    };
}

token_forms! {
    "Anthropic", ["sk-ant-"], r"sk-ant-[\w-]{12,}", ("sk-ant-", "x1", 20), "task-ant-hill";
    "OpenAI and OpenRouter", ["sk-"], r"sk-(?:proj-|or-)?[A-Za-z0-9_-]{20,}", ("sk-proj-", "a1", 20), "sk-learn";
    "GitHub", ["gho_", "ghp_", "ghu_", "ghs_", "ghr_"], r"gh[opusr]_[A-Za-z0-9]{16,}", ("gho_", "a1", 18), "ghp_token_name";
    "GitHub, fine-grained", ["github_pat_"], r"github_pat_\w{20,}", ("github_pat_", "a1", 20), "github_pat_name";
    "GitLab", ["glpat-", "gloas-"], r"gl(?:pat|oas)-[\w-]{16,}", ("glpat-", "a1", 10), "glpat-scope";
    "npm", ["npm_"], r"npm_[A-Za-z0-9]{20,}", ("npm_", "a1", 18), "npm_config_registry";
    "Hugging Face", ["hf_"], r"hf_[A-Za-z0-9]{16,}", ("hf_", "a1", 17), "hf_hub_download";
    "Slack", ["xox"], r"xox[abeprs]-[\w-]{10,}", ("xoxb-", "1a", 12), "xoxo-greetings";
    "Slack, app", ["xapp-"], r"xapp-[\w-]{16,}", ("xapp-", "1a", 12), "xapp-name";
    "Google, access", ["ya29."], r"ya29\.[\w-]{20,}", ("ya29.", "a1", 20), "ya29.txt";
    "Google, refresh", ["1//0"], r"1//0[\w-]{20,}", ("1//0", "a1", 20), "1//03 of it";
    "Google, API key", ["aiza"], r"AIza[\w-]{30,}", ("AIza", "a1", 18), "AIzawa";
    "PyPI", ["pypi-"], r"pypi-[\w-]{20,}", ("pypi-", "a1", 20), "pypi-mirror";
    "DigitalOcean", ["dop_v1_"], r"dop_v1_\w{20,}", ("dop_v1_", "a1", 20), "dop_v1_test";
    "Docker", ["dckr_pat_"], r"dckr_pat_[\w-]{16,}", ("dckr_pat_", "a1", 14), "dckr_pat_name";
    "Shopify", ["shpat_", "shpca_", "shppa_", "shpss_"], r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}", ("shpat_", "a1", 16), "shpat_name";
    "Fly", ["fm1_", "fm2_", "fo1_"], r"f(?:m[12]|o1)_[\w+/=-]{20,}", ("fm2_", "a1", 20), "fm2_radio";
    "Sentry", ["sntrys_", "sntryu_"], r"sntry[su]_[\w+/=-]{20,}", ("sntrys_", "a1", 20), "sntrys_name";
    "Render", ["rnd_"], r"rnd_[A-Za-z0-9]{20,}", ("rnd_", "a1", 14), "rnd_seed";
    "Figma", ["figd_"], r"figd_[\w-]{20,}", ("figd_", "a1", 16), "figd_name";
    "AWS", ["akia", "asia"], r"A[KS]IA[0-9A-Z]{16}", ("AKIA", "A1", 8), "ASIAN MARKETS TODAY";
    "JSON Web Token", ["eyj"], r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", ("eyJ", "a1b2c3d4e.", 2), "keyJourney";
    "Stripe", ["k_live_", "k_test_"], r"[rsp]k_(?:live|test)_\w{16,}", ("sk_test_", "a1", 12), "sk_test_mode";
    "HashiCorp Vault", ["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[\w-]{20,}", ("hvs.", "a1", 20), "hvs.example";
    "Databricks", ["dapi"], r"dapi[0-9a-f]{32}", ("dapi", "a1", 16), "dapi0123";
    "Supabase", ["sbp_"], r"sbp_[0-9a-f]{30,}", ("sbp_", "a1", 20), "sbp_name";
    "Netlify", ["nfp_"], r"nfp_\w{20,}", ("nfp_", "a1", 18), "nfp_name";
    "Doppler", ["dp.pt", "dp.ct", "dp.st"], r"dp\.(?:pt|ct|st)\.\w{20,}", ("dp.pt.", "a1", 20), "dp.pt.name";
    "Linear", ["lin_api_"], r"lin_api_\w{20,}", ("lin_api_", "a1", 18), "lin_api_url";
    "SendGrid", ["sg."], r"SG\.[\w-]{16,}\.[\w-]{16,}", ("SG", ".a1b2c3d4e5f6a7b8", 2), "SG.com";
}

static KNOWN: LazyLock<Regex> = LazyLock::new(|| {
    let forms: Vec<&str> = TOKEN_FORMS.iter().map(|form| form.expression).collect();
    let expression = format!(r"(?-u)\b(?:{})", forms.join("|"));
    Regex::new(&expression).expect("invariant: a test compiles the table")
});

/// Finds the tokens in a text, in order, by the table alone.
pub fn token_spans(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    KNOWN.find_iter(text).map(|found| found.range())
}

/// Masks the tokens of the table, wherever they stand.
pub fn mask_tokens(text: &str) -> String {
    KNOWN.replace_all(text, MASK).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_matches_its_example_and_no_look_alike() {
        for form in TOKEN_FORMS {
            let (beginning, unit, count) = form.example;
            let example = format!("{beginning}{}", unit.repeat(count));
            let own = Regex::new(&format!(r"(?-u)\b(?:{})", form.expression)).unwrap();
            let found = own.find(&example).unwrap_or_else(|| panic!("{}: {example}", form.vendor));
            assert_eq!(
                found.as_str().trim_end_matches('.'),
                example.trim_end_matches('.'),
                "{}",
                form.vendor
            );
            assert!(!KNOWN.is_match(form.counter_example), "{}", form.counter_example);
            let lower = example.to_lowercase();
            assert!(form.parts.iter().any(|part| lower.contains(part)), "{}", form.vendor);
            assert_eq!(mask_tokens(&format!("export T={example} x")), format!("export T={MASK} x"));
        }
    }
}
