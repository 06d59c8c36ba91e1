//! The list of providers to start: installed ones first, any command last.

use super::chooser::Choice;
use crate::protocol::snapshot::ProviderView;

/// An entry of the picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerEntry {
    /// A provider of the catalogue.
    Provider(Box<ProviderView>),
    /// Any command line.
    AnyCommand,
}

impl Choice for PickerEntry {
    fn searched(&self) -> String {
        match self {
            Self::Provider(provider) => format!("{} {}", provider.provider_id, provider.title),
            Self::AnyCommand => "any command".into(),
        }
    }

    fn always(&self) -> bool {
        matches!(self, Self::AnyCommand)
    }
}

/// Lists the providers, installed ones first, and any command at the end.
pub fn entries(providers: &[ProviderView]) -> Vec<PickerEntry> {
    let mut sorted: Vec<&ProviderView> = providers.iter().collect();
    sorted.sort_by_key(|provider| !provider.installed);
    let providers = sorted.into_iter().cloned().map(|provider| PickerEntry::Provider(Box::new(provider)));
    providers.chain([PickerEntry::AnyCommand]).collect()
}
