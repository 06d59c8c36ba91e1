//! Every sentence that a person reads about a session.
//!
//! Plain and short. What the CLI said is quoted and marked as its own; what to do next ends every bad news. Keys are
//! not named here: the person may have bound them otherwise, and the deck shows them.

use std::time::Duration;

use super::{SavedSession, reason};
use crate::core::finding::Verdict;
use crate::core::login::{Exit, LoginPlan};
use crate::core::status::Status;
use crate::core::tokens::mask_tokens;
use crate::core::visible;

/// How much of a line that the CLI printed is kept.
const LINE: usize = 240;

/// How every text begins that tells a person what to do.
pub(super) const FOR_YOU: &str = "waiting for you:";

/// The error of a login whose CLI ended with exit status 0 and proved nothing.
const UNPROVEN: &str = "ended without saying that anybody is logged in";

/// Makes a line of the CLI's fit to be kept, told and shown.
pub(super) fn quotable(line: &str) -> String {
    mask_tokens(&visible::visible_line(line.trim(), LINE))
}

/// Returns the provider's name for people, or the command's.
pub(super) fn title(plan: &LoginPlan) -> String {
    if !plan.facts.title.is_empty() {
        return plan.facts.title.clone();
    }
    let program = plan.command.first().map_or("the command", String::as_str);
    program.rsplit('/').next().unwrap_or(program).to_owned()
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Expected => "expected for this provider",
        Verdict::Unknown => "not a host that is known for this provider",
        Verdict::Suspicious => "something speaks against this URL",
    }
}

/// Names how a child ended.
pub(super) fn ending(exit: Exit) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => format!("ended with exit status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended in a way that nobody saw".to_owned(),
    }
}

type BadNews = (String, String);

pub(super) fn bad_exit(saved: &SavedSession, exit: Exit) -> BadNews {
    let title = title(&saved.plan);
    let ending = ending(exit);
    let said = saved.seen.failure_line.clone().or_else(|| reason::reason(&saved.seen.last_lines));
    match said {
        Some(line) => (format!("{title} {ending}: “{line}”"), advice_to_retry(saved)),
        None if let Some(refused) = &saved.seen.refused => {
            let words =
                if refused.words.is_empty() { String::new() } else { format!(": “{}”", refused.words) };
            let error = format!("{title} {ending}; it answered {} to the callback{words}", refused.status);
            (error, advice_to_retry(saved))
        }
        None => (
            format!("{title} {ending} and did not say why"),
            format!("Its last lines are in its pane. {}", advice_to_retry(saved)),
        ),
    }
}

pub(super) fn unproven_exit(saved: &SavedSession) -> BadNews {
    let title = title(&saved.plan);
    match &saved.seen.failure_line {
        Some(line) => {
            (format!("{title} ended with exit status 0, but said: “{line}”"), advice_to_retry(saved))
        }
        None if saved.seen.acted_on_since.is_some() => (
            UNPROVEN.to_owned(),
            format!(
                "{title} ended with exit status 0, but nothing shows that anybody has logged in. Look at its pane. {}",
                advice_to_retry(saved)
            ),
        ),
        None => (
            UNPROVEN.to_owned(),
            format!("{title} ended with exit status 0 and showed nothing to log in with."),
        ),
    }
}

pub(super) fn failed_check(saved: &SavedSession, last_line: &str) -> BadNews {
    let title = title(&saved.plan);
    let said = said(last_line);
    (
        format!("{title} ended well, but its own check says that nobody is logged in{said}"),
        advice_to_retry(saved),
    )
}

pub(super) fn hanging_check(saved: &SavedSession, last_line: &str, limit: Duration) -> BadNews {
    let title = title(&saved.plan);
    let (seconds, said) = (limit.as_secs(), said(last_line));
    let error = format!("{title} ended well, but its own check did not answer within {seconds}s{said}");
    (error, "The network may be down. Run the check by hand, or start the login again.".to_owned())
}

pub(super) fn no_check(saved: &SavedSession, error: &str) -> BadNews {
    let title = title(&saved.plan);
    let error = quotable(error);
    let error = format!("{title} ended well, but its own check could not be run: {error}");
    (error, "Make the check's command work in a shell, then start the login again.".to_owned())
}

pub(super) fn unrecorded(saved: &SavedSession, error: &str) -> String {
    let title = title(&saved.plan);
    format!(
        "{title} is logged in, but that is not recorded yet: {error}. Free the disk or correct the folder's rights; it is tried again."
    )
}

pub(super) fn lost_keeper(saved: &SavedSession) -> BadNews {
    let title = title(&saved.plan);
    let error = format!("the keeper of this session is gone, and {title} with it or out of reach");
    (error, format!("The machine was restarted, or somebody killed the keeper. {}", advice_to_retry(saved)))
}

pub(super) fn advice_after_timeout(saved: &SavedSession) -> String {
    match &saved.status {
        Status::Pending => {
            format!("The CLI never showed anything to act on; see its pane. {}", advice_to_retry(saved))
        }
        Status::UrlAvailable { .. } | Status::CodeEmitted { .. } => {
            format!("The URL that it showed is of no use any more. {}", advice_to_retry(saved))
        }
        Status::Success { .. } | Status::Failed { .. } => advice_to_retry(saved),
    }
}

/// Says what to do after a listener answered with an HTTP status that takes nothing; absent for any other.
pub(super) fn after_refusal(status: u16) -> Option<&'static str> {
    match status {
        400..=499 => Some(
            "It did not take it: open the URL again, log in, and paste what the browser ends on then. If that is \
             refused too, start the login again.",
        ),
        500..=599 => Some("It failed with it: see what the CLI says in its pane, and start the login again."),
        _ => None,
    }
}

pub(super) fn advice_to_retry(saved: &SavedSession) -> String {
    saved.plan.facts.retry_hint.clone().unwrap_or_else(|| "Start the login again.".to_owned())
}

pub(super) fn said(last_line: &str) -> String {
    let line = quotable(last_line);
    if line.is_empty() { String::new() } else { format!(": “{line}”") }
}
