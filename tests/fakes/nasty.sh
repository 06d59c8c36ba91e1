#!/bin/bash
# A CLI that clings to life: it ignores every polite signal and leaves relatives everywhere. Each of them ends by
# itself after two minutes, so that a test that fails leaves nothing for long.
trap '' INT TERM HUP QUIT TSTP

# In a session of its own.
setsid bash -c 'trap "" TERM HUP INT; exec sleep 120' </dev/null >/dev/null 2>&1 &
# A daemon: forked twice, so that its parent is gone.
(setsid bash -c 'trap "" TERM HUP INT; sleep 120 &' </dev/null >/dev/null 2>&1 &)
# In a process group of its own, as a shell's job.
bash -c 'set -m; sleep 120 & wait' &
# In this group, with the terminal open.
bash -c 'trap "" TERM HUP INT; exec sleep 120' &
# Starts a new process every 50 ms.
setsid bash -c 'trap "" TERM HUP INT; while [ $SECONDS -lt 120 ]; do sleep 0.05; done' </dev/null >/dev/null 2>&1 &

echo READY
while [ $SECONDS -lt 120 ]; do sleep 5; done
