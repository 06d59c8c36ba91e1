#!/bin/bash
# nasty.sh stubborn|moving: a process tree that does not want to end. It notes in `standing` when it is complete, and
# gives up by itself after five minutes, so that a failed test does not leave it for ever.
trap '' INT TERM HUP QUIT
deadline=$((SECONDS + 300))
stay() { exec sleep 300; }

case $1 in
  stubborn)
    setsid bash -c "trap '' INT TERM HUP; exec sleep 300" </dev/null >/dev/null 2>&1 &          # a session of its own
    (setsid bash -c "trap '' INT TERM HUP; exec sleep 300" </dev/null >/dev/null 2>&1 &)        # forked twice: a daemon
    (trap '' INT TERM HUP; exec sleep 300) &                                                    # in the same group
    ;;
  moving)
    # Two detached loops; each pass forks a process that outlives it for a moment.
    for _ in 1 2; do
      setsid bash -c "trap '' INT TERM HUP; while [ \$SECONDS -lt 300 ]; do (sleep 0.5 &); sleep 0.2; done" \
        </dev/null >/dev/null 2>&1 &
    done
    ;;
esac
echo "Open https://idp.example.com/device and enter code ABCD-EFGH"
echo "$1" >> standing
while [ $SECONDS -lt $deadline ]; do sleep 1; done
