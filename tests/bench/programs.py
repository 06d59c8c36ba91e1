"""One class per program under test. To add one: subclass Program, list it in PROGRAMS.

`start(d, children)` gets a private folder and the argv of every child; it writes what configuration it needs there and
returns the argv to run in the outer terminal. The first child must be visible and have the keyboard when the harness
has typed `focus_keys`."""
import json
import os
import shlex
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def line(argv):
    return " ".join(shlex.quote(a) for a in argv)


class Program:
    name = "?"
    exe = None                  # looked up on the PATH
    max_children = 1000
    focus_keys = b""            # what to type so that the keyboard goes to the first child
    kill_keys = []              # [(bytes, pause in s), ...]: the gentlest "end this session" of the program
    hard_kill_keys = None       # the same for its forced kill, if it has one
    hangup = False              # kill by closing the outer terminal instead of by keys
    env = {}

    def find(self):
        return shutil.which(self.exe) if self.exe else "-"

    def version(self):
        return ""

    def start(self, d, children):
        raise NotImplementedError

    def stop(self, d):
        """Ask a daemon to go; the harness ends what is left of its own descendants by process id."""


def run(argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=10).stdout.strip().split("\n")[0]


class Bare(Program):
    """No program at all: the child in the outer terminal. What the machine can do."""
    name = "bare"
    max_children = 1
    hangup = True

    def start(self, d, children):
        return children[0]


class Tmux(Program):
    name, exe = "tmux", "tmux"
    kill_keys = [(b"\x02x", 0.15), (b"y", 0)]

    def version(self):
        return run([self.find(), "-V"])

    def start(self, d, children):
        conf = os.path.join(d, "tmux.conf")
        with open(conf, "w") as f:
            f.write("set -g history-limit 10000\nset -g default-terminal tmux-256color\n")
            f.write(f"new-session -d -s b -x 120 -y 40 {line(children[0])}\n")
            for c in children[1:]:
                f.write(f"new-window -d -t b: {line(c)}\n")
        return [self.find(), "-S", f"{d}/sock", "-f", conf, "attach", "-t", "b"]

    def stop(self, d):
        subprocess.run([self.find(), "-S", f"{d}/sock", "kill-server"], capture_output=True, timeout=10)


class Mprocs(Program):
    name, exe = "mprocs", "mprocs"
    focus_keys = b"\x01"                            # from the process list to the terminal
    kill_keys = [(b"\x01", 0.15), (b"x", 0)]        # back to the list, then SIGTERM
    hard_kill_keys = [(b"\x01", 0.15), (b"X", 0)]   # SIGKILL

    def version(self):
        return run([self.find(), "--version"])

    def start(self, d, children):
        conf = os.path.join(d, "mprocs.json")
        with open(conf, "w") as f:
            json.dump({"scrollback": 10000, "procs": {f"p{i:03}": {"cmd": c} for i, c in enumerate(children)}}, f)
        return [self.find(), "--config", conf]


class Authdeck(Program):
    name = "authdeck"
    focus_keys = b"i"
    kill_keys = [(b"\x1d", 0.15), (b"x", 0.3), (b"\t\r", 0)]
    hard_kill_keys = [(b"\x1d", 0.15), (b"X", 0)]

    def find(self):
        exe = os.environ.get("AUTHDECK", os.path.join(HERE, "../../target/release/authdeck"))
        return os.path.abspath(exe) if os.path.exists(exe) else None

    def version(self):
        return run([self.find(), "--version"])

    def start(self, d, children):
        for sub in ("home", "run"):
            os.makedirs(f"{d}/{sub}", mode=0o700, exist_ok=True)
        self.env = {"HOME": f"{d}/home", "XDG_RUNTIME_DIR": f"{d}/run", "AUTHDECK_RUNTIME_DIR": f"{d}/run/authdeck"}
        with open(f"{d}/start.jsonl", "w") as f:
            f.writelines(json.dumps(c) + "\n" for c in children)
        return [self.find(), "--start", f"{d}/start.jsonl"]


PROGRAMS = {c.name: c for c in (Bare, Tmux, Mprocs, Authdeck)}
