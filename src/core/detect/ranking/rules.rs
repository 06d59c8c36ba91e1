//! What speaks for and against a URL being the one to open: a table of weighted rules.
//!
//! The shape of the URL alone is not enough (logs, tests and `curl -v` are full of authorize URLs), and neither are
//! the words around it (every help page says "visit"). A URL is taken if both speak for it, or one does so strongly
//! and nothing speaks against it. Each rule has an example and a counter-example; a test tries them all.

/// Where a rule is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The URL itself.
    Url,
    /// The text around it: its own line before and after it, and the lines above if it begins its own.
    Words,
    /// The text directly before it.
    Before,
}

/// One rule.
pub(super) struct Rule {
    /// What it speaks for (positive) or against, and how strongly.
    pub weight: i32,
    /// Where it is looked for.
    pub place: Place,
    /// Its expression.
    pub regex: &'static str,
    /// A text in which it is.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests try it, and readers read it"))]
    pub example: &'static str,
    /// A text in which it is not.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests try it, and readers read it"))]
    pub counter_example: &'static str,
}

const fn rule(
    weight: i32,
    place: Place,
    regex: &'static str,
    example: &'static str,
    counter_example: &'static str,
) -> Rule {
    Rule { weight, place, regex, example, counter_example }
}

/// A URL with a rule of this weight is none to open, whatever else there is.
pub(super) const RULED_OUT: i32 = -100;

use Place::{Before, Url, Words};

/// All rules. Expressions ignore case.
pub(super) const RULES: &[Rule] = &[
    // ---- The shape of login URLs ----
    rule(
        4,
        Url,
        r"[?&](?:client_id|redirect_ur[il]|response_type|code_challenge)=",
        "https://a.example/x?client_id=1",
        "https://a.example/x?client=1",
    ),
    rule(
        3,
        Url,
        r"[?&](?:code_challenge|redirect_ur[il])=.*[?&](?:state|client_id|response_type|code_challenge_method|scopes?)=",
        "https://a.example/x?redirect_uri=y&state=z",
        "https://a.example/x?state=z",
    ),
    rule(5, Url, r"user_?code", "https://a.example/device?user_code=ABCD-EFGH", "https://a.example/users"),
    rule(
        3,
        Url,
        r"[?&](?:callback(?:_?(?:url|port))?|port|cli\w*|cli-\w+|session(?:_id)?|ticket|challenge|state|nonce|request_id|requestor|token|authtoken|origin|next|hostname|source|device_?code|public_key|\w*(?:auth|login|cli|callback|token|port)\w*)=",
        "https://a.example/x?ticket=4f3b",
        "https://a.example/x?page=2",
    ),
    rule(
        3,
        Url,
        r"=(?:https?(?::|%3A)(?://|%2F%2F))?(?:localhost|127\.0\.0\.1)",
        "https://a.example/x?to=http%3A%2F%2Flocalhost%3A45111",
        "https://a.example/localhost",
    ),
    rule(
        3,
        Url,
        r"[/#](?:login|log-in|sign-?in|sso|o?auth[12]?|oidc|oauth2?|authori[sz]e|authorization|authenticate|activate(?:-\w+)*|activation|device(?:s|login)?|verify|cli-?(?:login|auth)|(?:login|auth)-?cli|authorize_device|confirm_auth|client-auth|token-flow|passcode|\w*logindeep\w*|applogin)(?:[/?#.]|$)",
        "https://a.example/oauth/start",
        "https://a.example/author",
    ),
    rule(
        2,
        Url,
        r"/(?:login|log-in|sign-?in|sso|o?auth[12]?|oidc|oauth2?)/(?:\w+/)*(?:authori[sz]e|authorization|auth|cli|device|login|browser)(?:[/?#]|$)",
        "https://a.example/oauth/authorize?x=1",
        "https://a.example/oauth/",
    ),
    rule(
        3,
        Url,
        r"/(?:\w*tokens?|api[-_]?keys?|personal[-_]access[-_]\w+|access-token|connect|cli)(?:[/?#]|$)",
        "https://a.example/settings/tokens",
        "https://a.example/tokenizer",
    ),
    rule(
        3,
        Url,
        r"^https?://(?:[\w-]+\.)*(?:[\w-]*login|[\w-]*auth|accounts?|sso|oauth2?|oidc|idp?|identity|signin|device|link)\.",
        "https://login.a.example/x",
        "https://blog.a.example/x",
    ),
    rule(
        3,
        Url,
        r"^https?://[^/?#]+/(?:link|pair|tv|activate|device)/?(?:\?|$)",
        "https://a.example/link",
        "https://a.example/link/to/x",
    ),
    rule(
        2,
        Url,
        r"(?:login|auth|device|activate)",
        "https://a.example/loginDeepControl?x",
        "https://a.example/home",
    ),
    rule(
        6,
        Url,
        r"[?&](?:SAMLRequest|SAMLart)=",
        "https://a.example/x?SAMLRequest=fVLL",
        "https://a.example/saml",
    ),
    rule(
        4,
        Url,
        r"[/.](?:saml2?|adfs|SSOService|wsfed)(?:[/?#]|$)",
        "https://a.example/app/x/sso/saml",
        "https://a.example/samples",
    ),
    rule(
        4,
        Url,
        r"/(?:headless|approvals?|approve|consent|enroll|cli[-_]?link\w*|link[-_]?(?:device|cli)\w*)(?:[/?#]|$)",
        "https://a.example/web/headless/1",
        "https://a.example/web",
    ),
    rule(
        2,
        Url,
        r"[/=](?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{10,64})(?:[/?#&]|$)",
        "https://a.example/a/3f9c2b7d10e4",
        "https://a.example/a/fee",
    ),
    // ---- The shape of other URLs ----
    rule(
        -8,
        Url,
        r"^https?://(?:[\w-]+\.)*(?:docs?|support|help|static|cdn|downloads?|blog|wiki|status|schemas?|mirror|mirrors|registry|datatracker|issues|policies|pip|man)\.",
        "https://docs.a.example/login",
        "https://login.a.example/docker",
    ),
    rule(
        -8,
        Url,
        r"/(?:docs?|documentation|help|support|faq|wiki|blog|guides?|manual|learn|privacy[\w-]*|terms[\w-]*|tos|legal|licen[cs]es?|eula|policy|policies|changelog|releases?|issues?|pulls?|telemetry|sponsors?|pricing|about[\w-]*|downloads?|archive|blobs?)(?:[/?#.]|$)",
        "https://a.example/docs/login",
        "https://a.example/doctor",
    ),
    rule(
        -5,
        Url,
        r"/(?:(?:sign-?up|registration|create-?account|join)(?:[/?#]|$)|register/?(?:[?#]|$))",
        "https://a.example/signup",
        "https://a.example/device",
    ),
    rule(
        RULED_OUT,
        Url,
        r"\.(?:tgz|gz|zip|whl|deb|rpm|js|mjs|css|png|svg|jpe?g|gif|xml|ya?ml|md|txt|pdf|exe|msi|git)(?:[?#]|$)",
        "https://a.example/login.tgz",
        "https://a.example/login.html",
    ),
    rule(
        RULED_OUT,
        Url,
        r"^https?://www\.googleapis\.com/auth/",
        "https://www.googleapis.com/auth/drive",
        "https://accounts.google.com/o/oauth2/auth?scope=https://www.googleapis.com/auth/drive",
    ),
    rule(
        -12,
        Url,
        r"/o?auth\w*/(?:v?[\d.]+/)?auth(?:orize)?/?$",
        "https://login.a.example/oauth2/v2.0/authorize",
        "https://a.example/oauth/authorize?x=1",
    ),
    rule(-5, Url, r"^https?://[^/?#]+/?$", "https://a.example/", "https://a.example/device"),
    // ---- Words that invite ----
    rule(
        4,
        Words,
        r"\b(?:visit(?:ing)?|go(?:ing)? to|goto|navigate to|browse to|head to|open(?:ing|ed)?|launch(?:ed|ing)?|click(?:ing)?|follow(?:ing)?|load(?:ing)?)\b",
        "Please visit",
        "revisited",
    ),
    rule(3, Words, r"\bbrowser\b", "in your browser:", "browse the list"),
    rule(
        3,
        Words,
        r"\b(?:log ?in(?:to)?|login|log into|sign ?in|signin|authenticat\w+|authori[sz]\w+|verification|verify|activate|one-time|sso|oauth|oidc|device code)\b",
        "To authenticate, do this",
        "Logging you",
    ),
    rule(
        4,
        Words,
        r"\b(?:generate|create|get|obtain|enter|paste|find|copy)\b.{0,60}\b(?:token|api key|passcode|access key|code|one)\b.{0,30}\b(?:at|from|here|visiting|panel|page)\b",
        "Create a new API key at:",
        "The token is stored",
    ),
    rule(
        3,
        Words,
        r"\b(?:this|the|following|login|auth|authentication|authorization|verification|sign-in|sso) (?:following )?(?:url|link|address|page)\b",
        "If you can't wait use this url:",
        "the list",
    ),
    rule(
        3,
        Words,
        r"\b(?:log ?in|sign ?in|login|authenticate|authenticat\w+ (?:page )?|complete|proceed|continue|approve|confirm) ?(?:\w+ )?(?:at|here|on|with|url)\b",
        "Login at:",
        "login failed",
    ),
    rule(
        4,
        Words,
        r"\b(?:sign-?in|login|log-in|approval|consent) page\b|\bidentity provider\b|\bsaml\b|\bsingle sign-?on\b",
        "The sign-in page of your organisation is:",
        "the next page",
    ),
    rule(
        3,
        Words,
        r"\b(?:to|and) (?:link|pair|connect|approve) (?:this|your|the|it)\b|\bapprove (?:it|this|the|login)\b|\bheadless\b",
        "to link this device",
        "the link",
    ),
    rule(
        3,
        Words,
        r"\bon (?:your|a|any|another) (?:other )?(?:phone|mobile|device|computer|laptop)\b",
        "on your phone",
        "on the disk",
    ),
    rule(2, Words, r"\bpaste\b|\bcopy\b", "copy and paste", "the scope"),
    rule(
        5,
        Words,
        r"\b(?:paste|enter|copy)\b.{0,30}\b(?:token|api key|access key)\b (?:\w+ )?(?:found |shown )?(?:on|at|in|from)\b",
        "please paste the token found on",
        "paste the token below",
    ),
    rule(
        3,
        Words,
        r"\b(?:enter|type in|confirm)\b.{0,16}\b(?:pin|code)\b",
        "and enter this PIN",
        "the PIN was entered",
    ),
    // ---- Words that speak against it ----
    rule(
        -9,
        Words,
        r"\b(?:learn (?:more|how)|read (?:more|about)|more (?:information|info|details|help)|for (?:help|information|details|assistance)|documentation|see also|docs?:)",
        "Learn more here:",
        "the learned",
    ),
    rule(
        -9,
        Words,
        r"\b(?:privacy|terms of|telemetry|collects?|opt[- ](?:in|out)|licen[cs]e|homepage|home page|sponsor|funding|changelog|release notes|warranty|redeem|promo|coupon|discount)\b",
        "our privacy policy at",
        "a private term",
    ),
    rule(
        -9,
        Words,
        r"\b(?:report (?:this|a|an|the|it)|issue tracker|pull request|merge request|bug report|file (?:a|an) (?:bug|issue))\b",
        "Please report this error at:",
        "reporter",
    ),
    rule(
        -9,
        Words,
        r"\b(?:download(?:ing|ed)?|fetch(?:ing|ed)?|upgrade (?:to|from)|new (?:release|version)|cloning|pushing to|server response)\b",
        "Downloading from",
        "downright",
    ),
    rule(
        -9,
        Words,
        r"\b(?:redirect(?:ing|ed|s)? (?:user|to|from|request)|webhook|status code|(?:http|https) error|for (?:get|post|put)|(?:get|post|put|head|delete) http|listening|running at|dev(?:elopment)? server|starting|started|local server)\b",
        "redirecting user to",
        "directly",
    ),
    rule(
        -9,
        Words,
        r"\b(?:don.t have an account|create one here|need an account|sign ?up (?:at|here|for)|create an account|no account)\b",
        "If you don't have an account, please create one here:",
        "account name",
    ),
    rule(-9, Words, r"\bdiscovery\b", "Performing OIDC Discovery of", "discovered"),
    rule(
        RULED_OUT,
        Words,
        r"\bx{3,}-x{3,}\b|\*{3,}-\*{3,}|<(?:user[-_ ]?)?code>",
        "and enter the code XXXX-XXXX",
        "enter the code ABCD-EFGH",
    ),
    rule(
        -9,
        Words,
        r"\b(?:another|new|https?|internal) request\b|\bcurl\b|\bconnected to\b",
        "Issue another request to this URL:",
        "This was requested",
    ),
    rule(
        -9,
        Before,
        r#""(?:level|ts|time|timestamp|severity|logger|trace_id|msg)"\s*:"#,
        "{\"level\":\"info\",\"url\":\"",
        "{\"url\": \"",
    ),
    rule(
        RULED_OUT,
        Words,
        r"\bassert(?:ion)?\w*\b|\bexpected\b.*\b(?:but|got|found)\b|\bpanicked\b|\btraceback\b",
        "expected x but got y",
        "as expected.",
    ),
    rule(
        RULED_OUT,
        Words,
        r"\b(?:success\w*|logged|signed) (?:in|logged|into)\b.*\b(?:start url|on|to|at)\b|\b(?:scopes|scope)\b.{0,20}[:\[]",
        "Successfully logged into Start URL:",
        "log in on the page",
    ),
    rule(
        RULED_OUT,
        Before,
        r"^(?:[<>*] )?(?:location|referer|origin|host|link|x-[\w-]+): ?$",
        "< Location: ",
        "the following link: ",
    ),
    rule(RULED_OUT, Before, r#"(?:(?:^|[^\w-])\w+ ?= ?|[(,] ?|return )["'`]$"#, "u=\"", "at \""),
    rule(
        RULED_OUT,
        Before,
        r#""[\w.-]+"\s*:\s*"[^"]*[^"\s][^"]*$"#,
        "\"msg\": \"redirecting to ",
        "\"url\": \"",
    ),
    rule(RULED_OUT, Before, r"(?:^|[ ,])uri:$", "DNS:a.example, URI:", "Verification URI: "),
    rule(RULED_OUT, Before, r"\b(?:GET|POST|PUT|HEAD|DELETE|PATCH) $", "GET ", "get "),
    rule(RULED_OUT, Before, r#"\bHTTP/[\d.]+" \d{3} "#, "\"GET /login HTTP/1.1\" 302 0 \"", "over HTTP/1.1 "),
    rule(
        RULED_OUT,
        Before,
        r"^(?:\w+: +)?[\w-]+(?:\.[\w-]+)+/[\w.-]+: ?$",
        "nginx.ingress.kubernetes.io/auth-url: ",
        "Login URL: ",
    ),
    rule(RULED_OUT, Before, r#""\w+_endpoint"\s*:\s*"$"#, "\"token_endpoint\": \"", "\"endpoint\": \""),
    rule(
        7,
        Before,
        r#""(?:auth_?(?:entication_?)?url|(?:authorize|authorization|login|signin)_?(?:url|uri)|verification_?(?:url|uri)\w*)"\s*:\s*"$"#,
        "{\"AuthURL\": \"",
        "{\"doc\": \"",
    ),
    rule(
        -9,
        Before,
        r#""(?:doc\w*|home\w*|repo\w*|issues?|support|help|referer|redirect\w*|image|icon|schema|\$schema)"\s*:\s*"$"#,
        "\"doc\": \"",
        "\"url\": \"",
    ),
];
