//! From keys to actions: a trie per context, the person's own keys over the defaults.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::action::Action;
use super::keys::{KeyPress, parse_sequence};
use super::text::nearest;
use crate::config::KeyBinding;

/// The default keys, in the form in which a person writes their own.
const DEFAULTS: &str = include_str!("keymap.toml");

/// Where a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Everywhere but in dialogs and while typing into a child.
    Global,
    /// The list has the keys.
    List,
    /// A challenge is selected in the list.
    Challenge,
    /// The pane has the keys.
    Pane,
    /// A search has matches.
    Search,
    /// A line is being entered.
    Prompt,
    /// The palette is open.
    Palette,
    /// The list of providers is open.
    Picker,
    /// Something is shown or asked that takes no text: help, a question, a QR code.
    Reader,
    /// A question is asked.
    Confirm,
    /// The question is whether to end something; the key that asked answers it, too.
    Ending,
    /// Every key goes to the child, but these.
    Passthrough,
}

impl Context {
    /// Every context with its name in the configuration file.
    pub const NAMES: [(&'static str, Self); 12] = [
        ("global", Self::Global),
        ("list", Self::List),
        ("challenge", Self::Challenge),
        ("pane", Self::Pane),
        ("search", Self::Search),
        ("prompt", Self::Prompt),
        ("palette", Self::Palette),
        ("picker", Self::Picker),
        ("reader", Self::Reader),
        ("confirm", Self::Confirm),
        ("ending", Self::Ending),
        ("passthrough", Self::Passthrough),
    ];
}

/// What keys pressed so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This.
    Matched(Action),
    /// More keys must follow.
    Pending,
    /// Nothing.
    NotFound,
}

#[derive(Clone, Debug, Default)]
struct Node {
    action: Option<Action>,
    next: BTreeMap<KeyPress, Self>,
}

/// All keys of all contexts.
#[derive(Clone, Debug)]
pub struct Keymap {
    roots: BTreeMap<Context, Node>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self { roots: BTreeMap::new() };
        let table = DeTable::parse(DEFAULTS).expect("invariant: the built-in keymap is TOML (tested)");
        for (context, keys) in table.get_ref() {
            for (written, action) in keys.get_ref().as_table().into_iter().flatten() {
                let binding = KeyBinding {
                    context: context.get_ref().to_string(),
                    keys: written.get_ref().to_string(),
                    action: action.get_ref().as_str().unwrap_or_default().to_owned(),
                    line: 0,
                };
                keymap.bind(&binding).expect("invariant: the built-in keymap has no mistake (tested)");
            }
        }
        keymap
    }
}

impl Keymap {
    /// Puts a person's own keys over the defaults. Each mistake is a sentence that names file and line; the rest counts.
    pub fn with(file: &str, bindings: &[KeyBinding]) -> (Self, Vec<String>) {
        let mut keymap = Self::default();
        let mut mistakes = Vec::new();
        for binding in bindings {
            if let Err(mistake) = keymap.bind(binding) {
                mistakes.push(format!("{file}:{}: {mistake}", binding.line));
            }
        }
        (keymap, mistakes)
    }

    fn bind(&mut self, binding: &KeyBinding) -> Result<(), String> {
        let context = parse_context(&binding.context)?;
        let presses = parse_sequence(&binding.keys)?;
        let action = parse_action(&binding.action)?;
        let mut node = self.roots.entry(context).or_default();
        for press in presses {
            // A shorter binding would hide a longer one for ever: the newer one wins.
            node.action = None;
            node = node.next.entry(press).or_default();
        }
        *node = Node { action, next: BTreeMap::new() };
        Ok(())
    }

    /// Looks keys up in contexts, the most particular one first.
    pub fn look_up(&self, contexts: &[Context], presses: &[KeyPress]) -> Lookup {
        for context in contexts {
            let Some(node) = self.node(*context, presses) else { continue };
            match node {
                Node { action: Some(action), .. } => return Lookup::Matched(*action),
                Node { action: None, next } if !next.is_empty() => return Lookup::Pending,
                Node { .. } => {}
            }
        }
        Lookup::NotFound
    }

    fn node(&self, context: Context, presses: &[KeyPress]) -> Option<&Node> {
        let mut node = self.roots.get(&context)?;
        for press in presses {
            node = node.next.get(press)?;
        }
        Some(node)
    }

    /// Returns how a started sequence can go on: the key and what it does.
    pub fn continuations(&self, contexts: &[Context], presses: &[KeyPress]) -> Vec<(String, Action)> {
        let mut found = Vec::new();
        for context in contexts {
            if let Some(node) = self.node(*context, presses) {
                collect(node, String::new(), &mut |keys, action| found.push((keys, action)));
            }
        }
        found
    }

    /// Returns every way to press an action, the shortest first, whatever the context.
    pub fn keys_of(&self, wanted: Action) -> Vec<String> {
        let contexts: Vec<Context> = Context::NAMES.iter().map(|(_, context)| *context).collect();
        self.keys_in(&contexts, wanted)
    }

    /// Returns every way to press an action in these contexts, the one to show first.
    pub fn keys_in(&self, contexts: &[Context], wanted: Action) -> Vec<String> {
        let mut found = Vec::new();
        for node in contexts.iter().filter_map(|context| self.roots.get(context)) {
            collect(node, String::new(), &mut |keys, action| {
                if action == wanted && !found.contains(&keys) {
                    found.push(keys);
                }
            });
        }
        found.sort_by_key(|keys| (rank(keys), keys.len(), keys.clone()));
        found
    }
}

/// Enter and Esc say by themselves what they do; letters are easy to press; chords come last.
fn rank(keys: &str) -> u8 {
    match keys {
        "enter" | "esc" => 0,
        keys if keys.starts_with("ctrl-") || keys.starts_with("alt-") => 3,
        keys if keys.len() == 1 && keys.chars().all(char::is_alphanumeric) => 1,
        _ => 2,
    }
}

fn collect(node: &Node, prefix: String, found: &mut impl FnMut(String, Action)) {
    if let Some(action) = node.action {
        found(prefix, action);
        return;
    }
    for (press, next) in &node.next {
        let keys = if prefix.is_empty() { press.to_string() } else { format!("{prefix} {press}") };
        collect(next, keys, found);
    }
}

fn parse_context(name: &str) -> Result<Context, String> {
    if let Some((_, context)) = Context::NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(*context);
    }
    let names = Context::NAMES.map(|(name, _)| name);
    match nearest(name, names.into_iter()) {
        Some(near) => Err(format!("`keys.{name}` is not a context. Did you mean `keys.{near}`?")),
        None => Err(format!("`keys.{name}` is not a context; there are {}.", names.join(", "))),
    }
}

fn parse_action(name: &str) -> Result<Option<Action>, String> {
    if name == "none" {
        return Ok(None);
    }
    if let Some(action) = Action::from_name(name) {
        return Ok(Some(action));
    }
    match nearest(name, Action::ALL.iter().map(|action| action.name())) {
        Some(near) => Err(format!("`{name}` is not an action. Did you mean `{near}`?")),
        None => Err(format!("`{name}` is not an action; the palette (`:`) lists them all.")),
    }
}

/// Writes the key table of the README from the registry and the default keys.
pub fn key_table_markdown() -> String {
    let keymap = Keymap::default();
    let mut table = String::from("| keys | action | what it does |\n| --- | --- | --- |\n");
    for action in Action::ALL {
        let keys: Vec<String> = keymap
            .keys_of(*action)
            .into_iter()
            .map(|keys| format!("`{}`", keys.replace('|', "\\|")))
            .collect();
        table.push_str(&format!("| {} | `{}` | {} |\n", keys.join(" "), action.name(), action.doc()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(context: &str, keys: &str, action: &str) -> KeyBinding {
        KeyBinding { context: context.into(), keys: keys.into(), action: action.into(), line: 7 }
    }

    fn keys(written: &str) -> Vec<KeyPress> {
        parse_sequence(written).unwrap()
    }

    #[test]
    fn sequences_wait_for_their_end() {
        let keymap = Keymap::default();
        let contexts = [Context::List, Context::Global];
        assert_eq!(keymap.look_up(&contexts, &keys("g")), Lookup::Pending);
        assert_eq!(keymap.look_up(&contexts, &keys("g g")), Lookup::Matched(Action::ListFirst));
        assert_eq!(keymap.look_up(&contexts, &keys("g x")), Lookup::NotFound);
        assert_eq!(keymap.continuations(&contexts, &keys("g")), [("g".to_owned(), Action::ListFirst)]);
    }

    #[test]
    fn the_particular_context_outranks_the_general_one() {
        let keymap = Keymap::default();
        let found = keymap.look_up(&[Context::Challenge, Context::List, Context::Global], &keys("x"));
        assert_eq!(found, Lookup::Matched(Action::ChallengeDeny));
    }

    #[test]
    fn a_person_binds_and_unbinds() {
        let bindings =
            [own("list", "K", "session.kill"), own("global", "q", "none"), own("list", "g", "list.last")];
        let (keymap, mistakes) = Keymap::with("config.toml", &bindings);
        assert_eq!(mistakes, Vec::<String>::new());
        let contexts = [Context::List, Context::Global];
        assert_eq!(keymap.look_up(&contexts, &keys("K")), Lookup::Matched(Action::SessionKill));
        assert_eq!(keymap.look_up(&contexts, &keys("q")), Lookup::NotFound);
        assert_eq!(keymap.look_up(&contexts, &keys("g")), Lookup::Matched(Action::ListLast));
    }

    #[test]
    fn mistakes_name_file_line_and_the_nearest_name() {
        let bindings = [
            own("lst", "K", "session.kill"),
            own("list", "K", "sesion.kill"),
            own("list", "pgup", "list.up"),
        ];
        let (_, mistakes) = Keymap::with("config.toml", &bindings);
        assert_eq!(
            mistakes,
            [
                "config.toml:7: `keys.lst` is not a context. Did you mean `keys.list`?",
                "config.toml:7: `sesion.kill` is not an action. Did you mean `session.kill`?",
                "config.toml:7: `pgup` is not a key. Did you mean `pageup`?",
            ]
        );
    }

    #[test]
    fn every_action_has_a_key() {
        let keymap = Keymap::default();
        for action in Action::ALL {
            assert!(!keymap.keys_of(*action).is_empty(), "{} has no key", action.name());
        }
    }

    #[test]
    fn the_key_table_has_a_line_for_each() {
        assert_eq!(key_table_markdown().lines().count(), Action::ALL.len() + 2);
    }
}
