//! `authdeck providers`: the catalogue, for people and for scripts.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::cli::Providers;
use crate::config;
use crate::config::catalogue::Catalogue;
use crate::core::provider::Provider;
use crate::error::{Error, Kind, visible};
use crate::os::paths::find_program;
use crate::protocol::snapshot::ProviderView;

/// Prints the providers, those on the PATH first.
///
/// # Errors
/// Standard output is closed.
pub fn run(options: &Providers) -> Result<(), Error> {
    let folder = config::folder(|name| std::env::var_os(name)).map(|folder| folder.join("providers"));
    let (catalogue, messages) = Catalogue::load(folder.as_deref());
    for message in messages {
        // A mistake in one file keeps nobody from seeing the others.
        let _ = writeln!(std::io::stderr(), "Warning: {}", visible(&message));
    }
    let views = views(&catalogue, std::env::var_os("PATH").as_deref());
    let text = if options.json {
        serde_json::to_string_pretty(&views).expect("invariant: a provider has text keys only") + "\n"
    } else {
        table(&views)
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Error::new(Kind::Failed, "the list could not be printed").because(error))
}

fn views(catalogue: &Catalogue, path: Option<&OsStr>) -> Vec<ProviderView> {
    let mut views: Vec<_> = catalogue.all().map(|provider| view(&provider, path)).collect();
    views.sort_by_key(|view| !view.installed);
    views
}

fn view(provider: &Provider, path: Option<&OsStr>) -> ProviderView {
    let program = provider.command.first().map_or("", String::as_str);
    ProviderView {
        provider_id: provider.id.clone(),
        title: provider.title.clone(),
        command: provider.command.clone(),
        installed: find_program(program, path, Path::new("/")).is_ok(),
        install_hint: provider.install_hint.clone(),
    }
}

fn table(views: &[ProviderView]) -> String {
    let width = |text: fn(&ProviderView) -> &str| {
        views.iter().map(|view| text(view).chars().count()).max().unwrap_or(0)
    };
    let ids = width(|view| view.provider_id.as_str());
    let titles = width(|view| &view.title);
    views.iter().fold(String::new(), |mut table, view| {
        let how = if view.installed { "installed" } else { view.install_hint.as_str() };
        // Writing to a text cannot fail.
        let _ =
            writeln!(table, "{:ids$}  {:titles$}  {}", view.provider_id.as_str(), view.title, visible(how));
        table
    })
}
