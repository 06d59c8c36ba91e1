//! The parts of the README that are made from the program: they must say what the program says.
//!
//! `UPDATE_DOCS=1 cargo test --test suite docs` writes them anew.

use std::fs;
use std::path::Path;

use authdeck::config::catalogue::Catalogue;
use authdeck::config::resolved::SETTINGS;
use authdeck::core::provider::Answer;
use authdeck::protocol::method::METHODS;

fn readme() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// Compares what stands between the two marks of a section with what the program says now.
fn check(section: &str, now: &str) {
    let (start, end) =
        (format!("<!-- made from the program: {section} -->\n"), format!("<!-- end of {section} -->"));
    let text = fs::read_to_string(readme()).unwrap();
    let (before, rest) =
        text.split_once(&start).unwrap_or_else(|| panic!("README.md has no `{}`", start.trim()));
    let (there, after) = rest.split_once(&end).unwrap_or_else(|| panic!("README.md has no `{end}`"));
    let now = format!("\n{}\n\n", now.trim());
    if there == now {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _one_at_a_time = super::common::peer::exclusive("readme");
        fs::write(readme(), format!("{before}{start}{now}{end}{after}")).unwrap();
    } else {
        panic!(
            "README.md, section {section}, is out of step; run: UPDATE_DOCS=1 cargo test --test suite docs"
        );
    }
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_readme_is_in_step_with_the_program() {
    check("keys", &authdeck::tui::keymap::key_table_markdown());
    check("providers", &providers());
    check("settings", &settings());
    check("themes", &themes());
    check("exit codes", &exit_codes());
    check("methods", &methods());
}

fn methods() -> String {
    let rows = METHODS.iter().map(|method| {
        let callers: Vec<&str> = method.callers.iter().map(|caller| caller.in_words()).collect();
        format!("| `{}` | {} | {} |\n", method.name, cell(method.about), callers.join(", "))
    });
    format!("| method | what it does | who may call it |\n| --- | --- | --- |\n{}", rows.collect::<String>())
}

fn themes() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| format!("`{}`", entry.unwrap().path().file_stem().unwrap().to_string_lossy()))
        .collect();
    names.sort();
    format!("Themes: {}.", names.join(", "))
}

/// As `authdeck --help` says them.
fn exit_codes() -> String {
    let output = std::process::Command::new(super::common::env::AUTHDECK).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    let rows = codes.trim().lines().map(|code| {
        let (number, meaning) = code.trim().split_once("  ").unwrap();
        format!("| {number} | {} |\n", cell(meaning))
    });
    format!("| code | meaning |\n| --: | --- |\n{}", rows.collect::<String>())
}

fn settings() -> String {
    let rows = SETTINGS
        .iter()
        .map(|setting| format!("| `{}` | `{}` | {} |\n", setting.name, setting.default, cell(setting.about)));
    format!("| setting | default | what it is |\n| --- | --- | --- |\n{}", rows.collect::<String>())
}

fn providers() -> String {
    let catalogue = Catalogue::built_in();
    let rows = catalogue.all().map(|provider| {
        let ways: Vec<&str> = provider.answers.iter().copied().map(way).collect();
        let check = provider
            .auth_check
            .as_ref()
            .map_or("exit status".into(), |check| format!("`{}`", check.command.join(" ")));
        format!(
            "| `{}` | {} | `{}` | {} | {} |\n",
            provider.id,
            cell(&provider.title),
            cell(&provider.command.join(" ")),
            ways.join(", "),
            cell(&check)
        )
    });
    let head = "| id | CLI | what is run | how it takes the answer | how success is proven |\n| --- | --- | --- | --- | --- |\n";
    format!("{head}{}", rows.collect::<String>())
}

fn way(answer: Answer) -> &'static str {
    match answer {
        Answer::StdinCode => "pasted code",
        Answer::StdinCallbackUrl => "pasted URL",
        Answer::StdinSecret => "pasted token",
        Answer::Loopback => "callback to its port",
        Answer::Polls => "polls",
        Answer::EnterThenPolls => "Enter, then polls",
    }
}
