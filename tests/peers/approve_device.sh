#!/bin/bash
# approve_device.sh ISSUER CODE [no]: the person at op.mjs's device page, with curl: types the code in, confirms it,
# logs in as bob and consents; or, with `no`, says that it was somebody else's request.
set -eu
issuer=$1 code=$2 answer=${3:-yes}
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
browse() { curl -sS --max-time 20 -c "$folder/cookies" -b "$folder/cookies" "$@"; }
field() { sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" "$folder/page" | head -1; }
next() { tr -d '\r' < "$folder/head" | sed -n 's/^[Ll]ocation: //p'; }

browse -o "$folder/page" "$issuer/device"
browse -o "$folder/page" "$issuer/device" -d "xsrf=$(field xsrf)" -d "user_code=$code"
decision=(-d confirm=yes)
[ "$answer" = yes ] || decision+=(-d abort=yes)
browse -o "$folder/page" -D "$folder/head" "$issuer/device" -d "xsrf=$(field xsrf)" -d "user_code=$code" "${decision[@]}"

# From page to page: log in, consent, and back to the device page's last word.
for _ in 1 2 3 4 5 6 7 8; do
  at=$(next); [ -n "$at" ] || break
  case $at in /*) at=$issuer$at ;; esac
  browse -o "$folder/page" -D "$folder/head" "$at"
  if [ -z "$(next)" ] && grep -q interaction <<< "$at"; then
    form=(-d prompt=consent)
    if grep -q 'name="login"' "$folder/page"; then form=(-d prompt=login -d login=bob -d password=x); fi
    browse -o "$folder/page" -D "$folder/head" "$at" "${form[@]}"
  fi
done
if [ "$answer" = yes ]; then grep -q 'Sign-in Success' "$folder/page"; fi
