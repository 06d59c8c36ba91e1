//! The program behind `BROWSER`, `xdg-open` and their kin inside a session: it opens nothing, and tells the
//! supervisor what was to be opened.
//!
//! The one who calls it may wait for it ([`Python's webbrowser`](https://docs.python.org/3/library/webbrowser.html)
//! does), so it takes [`REPORT_LIMIT`] at most. It ends with 0 when the person will see the URL, and with another exit
//! status when not, so that the caller shows the URL itself.

use std::future::Future;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::askpass::Surroundings;
use crate::client::{ClientError, connect_unix};
use crate::core::ids::SessionId;
use crate::error::{Error, Kind};

/// How long reporting may take in all.
const REPORT_LIMIT: Duration = Duration::from_secs(2);

/// How long to wait before looking again for a supervisor that is just being replaced.
const AWAY_PAUSE: Duration = Duration::from_millis(50);

/// What of the arguments is to be opened: the web addresses, else the first that is no option.
fn targets(arguments: &[String]) -> Vec<&str> {
    let is_web = |argument: &&str| argument.starts_with("https://") || argument.starts_with("http://");
    let all = || arguments.iter().map(String::as_str);
    let web: Vec<&str> = all().filter(is_web).collect();
    if web.is_empty() { all().find(|argument| !argument.starts_with('-')).into_iter().collect() } else { web }
}

/// Reports what was to be opened.
///
/// # Errors
/// There is nothing to open or nobody to tell, or it is no web address.
pub async fn run(arguments: &[String], surroundings: &Surroundings) -> Result<(), Error> {
    let Some(session_id) = &surroundings.session else {
        return Err(Error::new(Kind::Unavailable, "this stands for a browser inside a session of authdeck")
            .hint("outside of one, call the system's own program by its full path"));
    };
    let targets = targets(arguments);
    if targets.is_empty() {
        return Err(Error::new(Kind::Usage, "nothing was named to be opened")
            .hint("inside a session of authdeck this program takes a URL, and shows it to the person"));
    }
    for target in targets {
        if !within_limit(report(target, session_id, surroundings)).await? {
            return Err(Error::new(Kind::Failed, format!("{target} is no web address, and was not opened"))
                .hint("inside a session of authdeck only http and https are handed to the person"));
        }
    }
    Ok(())
}

/// Tries again as long as the supervisor is away, and the limit allows.
async fn within_limit(reporting: impl Future<Output = Result<bool, Error>>) -> Result<bool, Error> {
    timeout(REPORT_LIMIT, reporting).await.unwrap_or_else(|_| {
        let text = format!("the supervisor did not answer within {} s", REPORT_LIMIT.as_secs());
        Err(Error::new(Kind::Unavailable, text))
    })
}

async fn report(target: &str, session_id: &SessionId, surroundings: &Surroundings) -> Result<bool, Error> {
    loop {
        match report_once(target, session_id, surroundings).await {
            Err(ClientError::Unreachable { .. } | ClientError::Closed | ClientError::Wire(_)) => {
                sleep(AWAY_PAUSE).await;
            }
            Err(error) => {
                return Err(
                    Error::new(Kind::Unavailable, "the supervisor does not take the URL").because(error)
                );
            }
            Ok(taken) => return Ok(taken),
        }
    }
}

async fn report_once(
    target: &str,
    session_id: &SessionId,
    surroundings: &Surroundings,
) -> Result<bool, ClientError> {
    let (client, events) = connect_unix(&surroundings.socket).await?;
    // Nothing was subscribed to, and what is not taken must not keep the answer back.
    drop(events);
    client.hello(surroundings.credential.clone(), Some(session_id.clone())).await?;
    client.opened(session_id, target).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_are_found_among_the_options_of_any_browser() {
        let found = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            targets(&arguments).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found(&["https://a.example/?x=%s"]), ["https://a.example/?x=%s"]);
        assert_eq!(found(&["-a", "Safari", "https://a.example"]), ["https://a.example"]);
        assert_eq!(found(&["--new-tab", "http://a.example", "http://b.example"]).len(), 2);
        assert_eq!(found(&["report.pdf"]), ["report.pdf"]);
        assert!(found(&["--help"]).is_empty());
    }
}
