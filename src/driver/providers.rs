//! The catalogue as the picker shows it: what is installed comes first.

use std::path::Path;

use super::settings::DriverSettings;
use crate::os::paths::find_program;
use crate::protocol::request::ProviderList;
use crate::protocol::snapshot::ProviderView;

/// Lists all providers and looks each one's command up. Reads the file system.
pub fn list(settings: &DriverSettings) -> ProviderList {
    let path = match &settings.environment {
        Some(variables) => variables.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone()),
        None => std::env::var_os("PATH"),
    };
    let path = path.as_deref();
    let mut providers: Vec<ProviderView> = settings
        .catalogue
        .now()
        .all()
        .map(|provider| ProviderView {
            provider_id: provider.id.clone(),
            title: provider.title.clone(),
            command: provider.command.clone(),
            installed: provider
                .command
                .first()
                .is_some_and(|program| find_program(program, path, Path::new("/")).is_ok()),
            install_hint: provider.install_hint.clone(),
        })
        .collect();
    // A stable sort: within each half the catalogue's order stays.
    providers.sort_by_key(|provider| !provider.installed);
    ProviderList { providers }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_installed_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("gh");
        std::fs::write(&program, "").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let environment = Some(vec![("PATH".into(), folder.path().into())]);
        let list = list(&DriverSettings { environment, ..DriverSettings::default() });
        let installed: Vec<&str> = list
            .providers
            .iter()
            .take_while(|view| view.installed)
            .map(|view| view.provider_id.as_str())
            .collect();
        assert_eq!(installed, ["gh"]);
        assert!(list.providers.len() > 1);
    }
}
