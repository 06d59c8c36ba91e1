//! A task that panics must not leave whoever waits for it waiting.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

/// Runs a future. If it panics, `told` makes the result from the reason, so that the request fails at once.
///
/// The future is dropped with the panic, and nothing of it is looked at again.
pub async fn or_panic<T>(future: impl Future<Output = T>, told: impl FnOnce(String) -> T) -> T {
    AssertUnwindSafe(future).catch_unwind().await.unwrap_or_else(|panic| told(reason(panic.as_ref())))
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("for a reason that it did not give");
    format!("authdeck failed at this itself ({text}); please report it, and try once more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_with_its_reason() {
        let index = std::hint::black_box(3);
        let failed = or_panic(async { [1, 2][index..].len().to_string() }, |reason| reason).await;
        assert!(failed.contains("failed at this itself (range start index 3"), "{failed}");
        assert_eq!(or_panic(async { "fine".to_owned() }, |reason| reason).await, "fine");
    }
}
