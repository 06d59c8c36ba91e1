//! `authdeck providers`: the catalogue, for people and for scripts.

use std::ffi::OsStr;
use std::path::Path;

use crate::cli::Providers;
use crate::config;
use crate::config::catalogue::Catalogue;
use crate::core::provider::Provider;
use crate::core::visible::TerminalText;
use crate::error::{Error, Kind};
use crate::os::paths::find_program;
use crate::output;
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
        output::warn(&message);
    }
    let views = views(&catalogue, std::env::var_os("PATH").as_deref());
    let text = if options.json {
        TerminalText::indented_json(&views).expect("invariant: a provider has text keys only").ended()
    } else {
        table(&views)
    };
    output::print(&text)
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

fn table(views: &[ProviderView]) -> TerminalText {
    let width = |text: fn(&ProviderView) -> &str| {
        views.iter().map(|view| TerminalText::line(text(view)).chars().count()).max().unwrap_or(0)
    };
    let ids = width(|view| view.provider_id.as_str());
    let titles = width(|view| &view.title);
    let line = |view: &ProviderView| {
        let how = if view.installed { "installed" } else { view.install_hint.as_str() };
        let (id, title) = (TerminalText::line(view.provider_id.as_str()), TerminalText::line(&view.title));
        TerminalText::line(&format!("{id:ids$}  {title:titles$}  {how}")).ended()
    };
    views.iter().map(line).collect()
}
