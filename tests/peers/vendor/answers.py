"""What the stand-in answers. TABLE has one row per address; the first that fits is taken.

An answer is a dict (200, as JSON), (status, body) or (status, body, headers), or a function of the request that returns
one. The mode decides: `pending` leaves device codes unapproved, `success` approves them from the second poll on,
`denied` refuses them, `badcode` refuses every code that is pasted or redirected (so does `denied`). A code is accepted
only if it begins with "fake". All tokens are made up: they begin with "fake" or are unsigned."""
import base64
import collections
import html
import json
import re
import time
import urllib.parse

polls = collections.Counter()  # polls since the code was handed out, by vendor
MAIL, NAME = "dev@example.com", "Dev Example"
ORGANISATION, ACCOUNT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


class Request:
    def __init__(self, method, host, path, query, form, headers, mode):
        self.method, self.host, self.path, self.query, self.form = method, host, path, query, form
        self.headers, self.mode = headers, mode

    def approved(self, vendor):
        polls[vendor] += 1
        return self.mode == "success" and polls[vendor] > 1

    def code_is_good(self):
        return self.mode in ("pending", "success") and str(self.form.get("code", "fake")).startswith("fake")


def unsigned_jwt(**claims):
    def part(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    now = int(time.time())
    times = {"iat": now, "nbf": now - 60, "exp": now + 36000}
    return f'{part({"alg": "RS256", "kid": "k1", "typ": "JWT"})}.{part({**times, **claims})}.c2lnbmF0dXJl'


def page(title, body):
    return 200, f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"


# ---- GitHub: gh auth login
SCOPES = {"X-OAuth-Scopes": "repo, read:org, gist, workflow"}


def github(answer):
    """GitHub answers 200 to errors too, and as a form unless JSON is asked for."""
    def wrapped(request):
        content = answer(request)
        if "json" in request.headers.get("Accept", ""):
            return content
        return 200, urllib.parse.urlencode(content), {"Content-Type": "application/x-www-form-urlencoded"}
    return wrapped


def github_code(_):
    polls["github"] = 0
    return {"device_code": "fake-device-code", "user_code": "WDJB-MJHT", "verification_uri": "https://github.com/login/device",
            "expires_in": 900, "interval": 1}


def github_token(request):
    if request.mode == "denied":
        return {"error": "access_denied", "error_description": "The user denied the request"}
    if not request.approved("github"):
        return {"error": "authorization_pending", "error_description": "The authorization request is still pending"}
    return {"access_token": "fake-access-token", "token_type": "bearer", "scope": "repo,read:org,gist,workflow"}


# ---- OpenAI: codex login, codex login --device-auth
OPENAI = {
    "https://api.openai.com/auth": {"chatgpt_plan_type": "plus", "chatgpt_account_id": "acc-1", "organization_id": "org-1",
                                    "user_id": "u-1"},
    "https://api.openai.com/profile": {"email": MAIL},
}


def openai_code(_):
    polls["openai"] = 0
    return {"device_auth_id": "deviceauth_fake", "user_code": "KWTR-VBN49", "interval": "1", "expires_at": "2035-01-01T00:00:00Z"}


def openai_poll(request):
    if request.mode == "denied":
        return 400, {"error": {"message": "denied"}}
    if request.approved("openai"):
        return {"authorization_code": "fake-code", "code_challenge": "x", "code_verifier": "y"}
    return 403, {"error": {"message": "pending"}}


def openai_token(request):
    if not request.code_is_good():
        return 400, {"error": "invalid_grant", "error_description": "The authorization code is invalid or has expired."}
    return {"access_token": unsigned_jwt(sub="u", **OPENAI), "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": "fake-refresh-token", "id_token": unsigned_jwt(sub="u", email=MAIL, **OPENAI)}


# ---- Anthropic: claude setup-token
ANTHROPIC = r"(platform|console|api)\.(claude|anthropic)\.com|claude\.(ai|com)"


def claude_token(request):
    if not request.code_is_good():
        return 400, {"error": "invalid_grant", "error_description": "Invalid 'code' in request."}
    return {"access_token": "fakeoat01-" + "A" * 98 + "-ENDFAKE", "token_type": "Bearer", "expires_in": 31536000,
            "refresh_token": "fake-ort-token", "scope": request.form.get("scope") or "user:inference",
            "organization": {"uuid": ORGANISATION, "name": "Example Org"}, "account": {"uuid": ACCOUNT, "email_address": MAIL}}


CLAUDE_PROFILE = {
    "account": {"uuid": ACCOUNT, "email": MAIL, "display_name": "Dev", "full_name": NAME, "has_claude_max": True, "has_claude_pro": False},
    "organization": {"uuid": ORGANISATION, "name": "Example Org", "organization_type": "claude_max",
                     "rate_limit_tier": "default_claude_max_5x"},
}


def code_page(request):
    """Anthropic's own page at the redirect_uri that its CLI shows: it says what to paste."""
    code = html.escape(request.query["code"] + "#" + request.query.get("state", ""))
    return page("Paste this into the terminal", f'<pre id="code">{code}</pre>')


TABLE = [
    # host (regex)            path (regex)                   answer
    (r"github\.com",          r"/login/device/code",         github(github_code)),
    (r"github\.com",          r"/login/oauth/access_token",  github(github_token)),
    (r"api\.github\.com",     r"/(api/)?graphql",            (200, {"data": {"viewer": {"login": "octocat"}}}, SCOPES)),
    (r"api\.github\.com",     r"/user",                      (200, {"login": "octocat", "id": 1}, SCOPES)),
    (r"api\.github\.com",     r".*",                         (200, {}, SCOPES)),
    (r"auth\.openai\.com",    r".*/deviceauth/usercode",     openai_code),
    (r"auth\.openai\.com",    r".*/deviceauth/token",        openai_poll),
    (r"auth\.openai\.com",    r"/oauth/token",               openai_token),
    (ANTHROPIC,               r"/v1/oauth/token",            claude_token),
    (ANTHROPIC,               r"/api/oauth/profile",         CLAUDE_PROFILE),
    (ANTHROPIC,               r".*/roles",                   {"organization_role": "admin", "workspace_role": None,
                                                              "organization_name": "Example Org"}),
    (ANTHROPIC,               r"/api/hello",                 {"message": "hello"}),
    (ANTHROPIC,               r"/oauth/code/callback",       code_page),
    (r".*",                   r"/-/ping",                    {}),
]
TABLE = [(re.compile(host), re.compile(path), answer) for host, path, answer in TABLE]


def handle(request):
    """Status, body, headers."""
    for host, path, answer in TABLE:
        if host.fullmatch(request.host) and path.fullmatch(request.path):
            found = answer(request) if callable(answer) else answer
            found = found if isinstance(found, tuple) else (200, found)
            return found if len(found) == 3 else (*found, {})
    return 404, {"error": "not_found", "message": "Not Found"}, {}
