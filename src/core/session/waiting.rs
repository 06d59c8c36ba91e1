//! What a session waits for, and the same in sentences for a person.

use super::messages::{FOR_YOU, after_refusal, ending, title};
use super::{Session, Stage};
use crate::core::callback::redirects_to_loopback;
use crate::core::finding::Expects;
use crate::core::login::Exit;
use crate::core::provider::Answer;
use crate::core::status::Status;
use crate::core::time::Timestamp;
use crate::core::view::{ChildState, Waiting};

impl Session {
    /// Tells what it waits for.
    pub(super) fn waiting(&self) -> Waiting {
        let seen = &self.saved.seen;
        match self.saved.stage {
            Stage::Over => return Waiting::Finished,
            Stage::Draining { .. } | Stage::Checking { .. } | Stage::Storing { .. } => {
                return Waiting::Checking;
            }
            Stage::Starting { .. } | Stage::Running => {}
        }
        if !self.deliveries.is_empty() {
            return Waiting::Delivering;
        }
        if seen.submitted {
            return Waiting::Submitted;
        }
        let expects = seen.prompt.as_ref().map(|prompt| prompt.expects);
        match expects {
            Some(Some(Expects::Choice) | None) => Waiting::Prompt,
            Some(Some(Expects::Secret)) => Waiting::Secret,
            _ if seen.claims_success == Some(true) => Waiting::Child,
            _ if seen.code.is_some() => Waiting::EnterCode,
            Some(Some(Expects::Code | Expects::CallbackUrl)) if seen.url.is_some() => {
                Waiting::OpenUrlThenPaste
            }
            Some(Some(Expects::Code | Expects::CallbackUrl)) => Waiting::Prompt,
            // After a rejected answer, Enter comes before anything else.
            Some(Some(Expects::Enter)) if seen.url.is_none() || seen.rejection.is_some() => Waiting::Prompt,
            Some(Some(Expects::Enter)) | None => self.waiting_for_browser(),
        }
    }

    fn waiting_for_browser(&self) -> Waiting {
        let seen = &self.saved.seen;
        let Some(url) = &seen.url else {
            return if seen.carry.is_some() { Waiting::Carry } else { Waiting::Child };
        };
        let answers = &self.saved.plan.facts.answers;
        let comes_back = answers.iter().any(|answer| match answer {
            Answer::StdinCode | Answer::StdinCallbackUrl | Answer::StdinSecret | Answer::Loopback => true,
            Answer::Polls | Answer::EnterThenPolls => false,
        });
        let pasted = if answers.is_empty() { redirects_to_loopback(&url.view.url) } else { comes_back };
        if pasted { Waiting::OpenUrlThenPaste } else { Waiting::OpenUrl }
    }

    /// Says the same in words; after an answer that was rejected, with the words of the rejection.
    pub(super) fn waiting_text(&self) -> String {
        let text = self.plain_waiting_text();
        match (&self.saved.seen.rejection, text.strip_prefix(FOR_YOU)) {
            (Some(rejection), Some(rest)) => format!("{FOR_YOU} {rejection};{rest}"),
            (Some(_), None) | (None, _) => text,
        }
    }

    fn plain_waiting_text(&self) -> String {
        let title = title(&self.saved.plan);
        let waiting = self.waiting();
        if waiting.needs_person()
            && let Some(refused) = self.refused_callback()
        {
            return refused;
        }
        match waiting {
            Waiting::Child => self.waiting_for_child(),
            Waiting::OpenUrl => format!("waiting for you: open the URL; {title} notices by itself"),
            Waiting::OpenUrlThenPaste => {
                format!("waiting for you: open the URL, then {}", self.what_to_paste())
            }
            Waiting::EnterCode if self.expects(Expects::Enter) => {
                format!("waiting for you: open the URL and type in the code; {title} waits for Enter")
            }
            Waiting::EnterCode if self.card_url().is_none() => {
                "waiting for you: type in or compare the code in the browser that was opened".to_owned()
            }
            Waiting::Carry => {
                format!("waiting for you: take what is shown to where it belongs; {title} notices by itself")
            }
            Waiting::EnterCode => "waiting for you: open the URL and type in the code".to_owned(),
            Waiting::Prompt if self.expects(Expects::Enter) => {
                format!("waiting for you: {title} waits for Enter")
            }
            Waiting::Prompt => format!("waiting for you: {title} asks something; answer in its pane"),
            Waiting::Secret => "waiting for you: paste the token or password that it asks for".to_owned(),
            Waiting::Delivering => self.waiting_for_delivery(),
            Waiting::Submitted => format!("sent; waiting for what {title} makes of it"),
            Waiting::Checking => self.waiting_for_check(),
            Waiting::Finished => self.how_it_ended(),
        }
    }

    /// Says that the CLI's listener did not take the last callback, and what to do.
    fn refused_callback(&self) -> Option<String> {
        let refused = self.saved.seen.refused.as_ref()?;
        let title = title(&self.saved.plan);
        let words =
            if refused.words.is_empty() { String::new() } else { format!(": “{}”", refused.words) };
        let next = after_refusal(refused.status)?;
        Some(format!("{title} answered {} to the callback{words}. {next}", refused.status))
    }

    fn expects(&self, wanted: Expects) -> bool {
        self.saved.seen.prompt.as_ref().is_some_and(|prompt| prompt.expects == Some(wanted))
    }

    fn what_to_paste(&self) -> &'static str {
        let facts = &self.saved.plan.facts;
        if self.expects(Expects::Code) || facts.answers.first() == Some(&Answer::StdinCode) {
            "paste the code it shows"
        } else if facts.answers.first() == Some(&Answer::StdinSecret) {
            "paste the token it shows"
        } else {
            "paste what the browser ends on"
        }
    }

    fn waiting_for_delivery(&self) -> String {
        let title = title(&self.saved.plan);
        match self.deliveries.last().and_then(|delivery| delivery.port) {
            Some(port) => format!("handed to {title} on port {port}; waiting for its answer"),
            None => format!("handed in; waiting until {title} takes it"),
        }
    }

    fn waiting_for_child(&self) -> String {
        let title = title(&self.saved.plan);
        match (self.saved.seen.claims_success, &self.saved.child) {
            (Some(true), _) => {
                format!("{title} says that it is done and still runs; press Enter in its pane, or end it")
            }
            (_, ChildState::Starting) => format!("starting {title}"),
            (Some(false), _) => format!("{title} reported a failure and still runs; see its pane, or end it"),
            (None, _) => format!("waiting for {title} to show something to act on"),
        }
    }

    fn waiting_for_check(&self) -> String {
        let title = title(&self.saved.plan);
        match self.saved.stage {
            Stage::Checking { .. } => format!("asking {title} itself whether the login worked"),
            Stage::Storing { .. } => "recording the login".to_owned(),
            Stage::Draining { .. } | Stage::Starting { .. } | Stage::Running | Stage::Over => {
                format!("{title} has ended; reading what it said last")
            }
        }
    }

    fn how_it_ended(&self) -> String {
        match &self.saved.status {
            Status::Success { email: Some(identity), .. } => format!("logged in as {identity}"),
            Status::Success { email: None, .. } => "logged in".to_owned(),
            Status::Failed { error } => error.clone(),
            Status::Pending | Status::UrlAvailable { .. } | Status::CodeEmitted { .. } => String::new(),
        }
    }

    /// Tells in a few sentences what it waits for and why, what was seen, and what happens next.
    pub(in crate::core) fn explain(&self, now: Timestamp) -> String {
        let mut sentences = vec![sentence(&self.waiting_text())];
        sentences.extend(self.explain_seen());
        if self.is_over() {
            sentences.extend(self.saved.advice.clone());
        } else {
            sentences.push(self.explain_success());
            let left = now.until(self.saved.deadline_at).as_secs();
            sentences.push(format!("It times out in {}.", minutes(left)));
        }
        sentences.push(self.explain_child());
        sentences.join(" ")
    }

    fn explain_seen(&self) -> Vec<String> {
        let seen = &self.saved.seen;
        let mut sentences = Vec::new();
        if let Some(code) = &seen.code {
            let place = code.url.as_ref().map_or("a page it did not name", |url| url.host.as_str());
            let guess = if code.guessed { ", as the catalogue has it" } else { "" };
            sentences.push(format!("The device code goes to {place}{guess}."));
        } else if let Some(url) = &seen.url {
            let dispute = if url.view.disputed { "; screen and output disagree about it" } else { "" };
            sentences.push(format!("The URL leads to {}: {}{dispute}.", url.view.host, url.view.reason));
        }
        let renewed = seen.superseded.len().max(seen.superseded_codes.len());
        if renewed > 0 {
            sentences
                .push("The CLI gave an earlier attempt up; only what is shown now is of use.".to_owned());
        }
        let quotes = [
            ("It asks", seen.prompt.as_ref().map(|prompt| &prompt.line)),
            ("It said", seen.success_line.as_ref()),
            ("It complained", seen.failure_line.as_ref()),
        ];
        let quotes = quotes.into_iter().filter_map(|(verb, line)| Some(format!("{verb}: “{}”.", line?)));
        sentences.extend(quotes);
        sentences
    }

    /// Says what will count as success, because it differs from CLI to CLI.
    fn explain_success(&self) -> String {
        let facts = &self.saved.plan.facts;
        let title = title(&self.saved.plan);
        match (facts.auth_check, facts.stays_open, facts.exit_decides) {
            (true, true, _) => format!("When it says that it is done, {title}'s own check decides."),
            (true, false, _) => format!("When it ends with exit status 0, {title}'s own check decides."),
            (false, true, _) => "There is no check for it: its own success line decides.".to_owned(),
            (false, false, true) => {
                "There is no check for this command: what it says decides, or exit status 0 after it has waited for you."
                    .to_owned()
            }
            (false, false, false) => {
                "There is no check for it: exit status 0 and its own success line decide.".to_owned()
            }
        }
    }

    fn explain_child(&self) -> String {
        match &self.saved.child {
            ChildState::Starting => "Its process is being started.".to_owned(),
            ChildState::Running { process_id } => format!("Its process is {process_id}."),
            ChildState::Ending => "It is being killed with everything it started.".to_owned(),
            ChildState::Exited { code, signal } => {
                sentence(&format!("its process {}", ending(Exit { code: *code, signal: *signal })))
            }
            ChildState::Killed => "It was killed with everything it had started.".to_owned(),
            ChildState::Survived { survivors } => format!("Not killed: {}.", survivors.join("; ")),
            ChildState::Lost => "Nothing is known of its process.".to_owned(),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
