//! The one integration binary: everything that is tested through the library's or the program's outside.
//!
//! One line per file of this folder; `architecture` fails if a file has none. `common` is what the tests stand on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "in a test a panic is the report, and the clock and the environment are the test's to use"
)]

mod api_schema;
mod architecture;
mod askpass_answers;
mod browser_shim;
mod cli_api;
mod cli_commands;
mod cli_decks;
mod cli_demo_provider;
mod cli_hostile;
mod cli_scripted;
mod cli_serve;
mod common;
mod deck_copy;
mod deck_hangup;
mod deck_suspend;
mod deck_terminal;
mod deck_typing;
mod detect_chunks;
mod detect_cli;
mod detect_corpus;
mod detect_hostile;
mod detect_read;
mod detect_reports;
mod docs;
mod driver_callbacks;
mod driver_challenges;
mod driver_findings;
mod driver_output;
mod driver_pastes;
mod driver_restart;
mod driver_sessions;
mod emptied_place;
mod fuzz_protocol;
mod hung_supervisor;
mod keeper_input;
mod keeper_kill;
mod keeper_output;
mod keeper_start;
mod lose_no_byte;
mod lose_nothing;
mod other_user;
mod peer_browser;
mod peer_challenges;
mod peer_logins;
mod peer_oidc;
mod peer_servers;
mod peer_ssh;
mod program_replaced;
mod random_trial;
mod server_connections;
mod server_handoff;
mod server_http;
mod server_slow_client;
mod server_tcp;
mod ssh_hosts;
mod stopped_keeper;
mod supervisor_memory;
mod tmux_demo;
mod tmux_idle;
mod tmux_kill;
mod tmux_survival;
mod ui_canvas;
mod ui_hosts;
mod ui_keys;
mod ui_stage;
mod ui_views;
mod user_place;
