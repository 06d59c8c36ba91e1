#!/usr/bin/env python3
"""The person's browser.

    browser.py browser URL [k=v]...   calls the redirect_uri of URL with code and state, as after a yes at the vendor.
                                      If that is the vendor's own page, prints what it shows: "paste: CODE".
    browser.py callback URL [k=v]...  prints that address instead of calling it.
    browser.py ping                   asks the vendor whether it is there.

error=access_denied says no; any other k=v is put in as well, or replaces what would be sent (state=wrong)."""
import html
import re
import sys
import urllib.error
import urllib.parse
import urllib.request


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def get(url):
    """Status, Location or None, body."""
    try:
        answer = urllib.request.build_opener(NoRedirect).open(url, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    body = answer.read().decode("utf-8", "replace")
    location = answer.headers.get("Location")
    print(f"GET {url} -> {answer.status}")
    return answer.status, urllib.parse.urljoin(url, location) if location else None, body


def callback(url, answer):
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    if "redirect_uri" not in asked:
        sys.exit("no redirect_uri in the URL: approve with `vendor mode success`")
    sent = {} if "error" in answer else {"code": "fake-auth-code"}
    if "state" in asked:
        sent["state"] = asked["state"]
    back = asked["redirect_uri"]
    return back + ("&" if "?" in back else "?") + urllib.parse.urlencode({**sent, **answer})


def browse(url):
    """Goes there, and on to where it is sent (a listener often leads back to a page of the vendor)."""
    first = None
    for _ in range(5):
        try:
            status, url, body = get(url)
        except OSError as error:
            if first is None:
                sys.exit(f"no answer: {error}")
            break
        first = first or status
        code = re.search(r'<pre id="code">(.*?)</pre>', body)
        if code:
            print("paste: " + html.unescape(code[1]))
        if not url:
            break
    return first >= 400


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["?"]
    if what == "ping":
        sys.exit(get("https://vendor.example.com/-/ping")[0] != 200)
    if what not in ("browser", "callback") or not rest:
        sys.exit(__doc__)
    target = callback(rest[0], dict(pair.split("=", 1) for pair in rest[1:]))
    if what == "callback":
        print(target)
    else:
        sys.exit(browse(target))
