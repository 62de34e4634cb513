#!/usr/bin/env python3
"""Does what a document shows, as its reader would.

usage: tests/examples.py FILE.md...    environment: MINIKVM, TOP (tests/cli/examples.sh)

    ```console    `$ COMMAND`, each run by one shell; the lines below it must come in what it prints
    ```sh         commands: targets of make and tests must be there; minikvm and gdb connect; others must succeed
    ```gdb        `(gdb) COMMAND` and `> MORE`, each without an error, with the guest of the line
                  `<!-- guest: WORDS -->` above; the lines below a command must come in what it prints

The lines shown must come in their order, as any gdb words them; others may come between. `...` is for the reader.
Statuses count in `sh` only: a document may show what fails.
"""
import os, re, shlex, subprocess, sys, tempfile
import wordings

TOP, PROGRAM = os.environ["TOP"], os.environ["MINIKVM"]
LIMIT = 100

def blocks(text):
    """The kind, the guest, and the lines of each."""
    for m in re.finditer(r"(?:<!-- guest: (.*?) -->\n)?^```(console|sh|gdb)\n(.*?)^```$", text, re.M | re.S):
        yield m[2], m[1], m[3].splitlines()

def shell(script):
    p = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", cwd=TOP, timeout=LIMIT)
    return p.returncode, p.stdout

def here(command):
    """With the program that is to be tested."""
    return re.sub(r"(?<![\w/])\./minikvm\b", lambda _: shlex.quote(PROGRAM), command)

def missing(shown, printed):
    """The first line of the document that is not printed where it should be, or None."""
    lines = iter(line.rstrip() for line in wordings.alike(printed).splitlines())
    for line in wordings.alike("\n".join(shown)).splitlines():
        if line.strip() != "..." and not any(line.rstrip() == seen for seen in lines):
            return line
    return None

def compare(command, shown, printed):
    lost = missing(shown, printed)
    return f"{command}: this does not come: {lost}\nprinted:\n{printed}" if lost else None

# --- console -----------------------------------------------------------------------------

def steps(lines, prompt):
    """Each command and what is shown below it; `> ` goes on with a command."""
    found = []
    for line in lines:
        if line.startswith(prompt):
            found.append((line[len(prompt):], []))
        elif line.startswith("> "):
            found[-1] = (found[-1][0] + "\n" + line[2:], [])
        else:
            found[-1][1].append(line)
    return found

def console(guest, lines):
    found, script = steps(lines, "$ "), ""
    for command, _ in found:
        script += f"{here(command)}\nstatus=$?; echo; echo MARK; (exit $status)\n"
    parts = shell(script)[1].split("\nMARK\n")
    return [compare(c, shown, printed) for (c, shown), printed in zip(found, parts)]

# --- gdb ---------------------------------------------------------------------------------

GDB = "gdb -q -nx -nh -batch -ex 'set pagination off' -ex 'set confirm off' -ex 'set width 0'"

def gdb(guest, lines):
    if guest is None:
        return [f"no guest is named for: {lines[0]}"]
    found = steps(lines, "(gdb) ")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "script")
        with open(path, "w") as f:
            f.write("set trace-commands on\n" + "".join(c + "\n" for c, _ in found))
        connect = f"target remote | {PROGRAM} --gdb=- {guest}"
        printed = shell(f"{GDB} -ex {shlex.quote(connect)} -x {path}")[1]
    return check_session(found, printed)

def check_session(found, printed):
    """gdb repeats each command behind a `+`; some commands give others, which nobody typed."""
    parts, problems, at = printed.split("\n+"), [], 0
    places = []
    for command, _ in found:
        at = next((i for i in range(at + 1, len(parts)) if parts[i].partition("\n")[0].rstrip() == command.split("\n")[0]), None)
        if at is None:
            return [f"(gdb) {command}: gdb did not get that far\n{printed}"]
        places.append(at)
    for (command, shown), first, end in zip(found, places, places[1:] + [len(parts)]):
        output = "\n".join(parts[first:end]).partition("\n")[2]
        problems.append(compare(command, shown, output))
        if re.search("^(Function|No symbol table|Make .*pending)", output, re.M):
            problems.append(f"(gdb) {command}: {output}")
    return problems

# --- sh ----------------------------------------------------------------------------------

def has_target(name):
    makefiles = [os.path.join(TOP, f) for f in ("Makefile", "tests/tests.mk", "tests/fuzz/fuzz.mk")]
    return any(re.search(rf"^(?:\S+ )*{re.escape(name)}(?: \S+)*:(?!=)", open(f).read(), re.M) for f in makefiles)

def make(words):
    return [f"make {w}: there is no such target" for w in words[1:] if "=" not in w and w[:1] != "-" and not has_target(w)]

def tests_run(words):
    """A tier, or a part of a test's name: they are not run from within one of them."""
    there = " ".join(f"{tier}/{name} " for tier in ("unit", "lockstep", "cli", "gdb")
                     for name in os.listdir(os.path.join(TOP, "tests", tier)))
    return [f"tests/run {w}: there is no such test" for w in words[1:] if w[:1] != "-" and w not in there]

def session(serve, connect):
    """The server and its client on a socket of their own."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        serve = here(re.sub(r"--gdb(?=\s)", "--gdb=unix:" + path, serve))
        connect = re.sub(r"remote :1234", "remote " + path, connect).replace("gdb ", GDB + " ", 1)
        status, printed = shell(
            f"mkfifo {folder}/said; {serve} 2>{folder}/said & exec 3<{folder}/said\n"
            f"while read -r line <&3; do [[ $line == *waiting* ]] && break; done\n"
            f"{connect} -ex kill 2>&1; status=$?; kill %1 2>/dev/null; wait; exit $status")
    return [f"{serve}: {printed}"] if status or "Remote connection closed" in printed else []

def sh(guest, lines):
    problems, serve = [], None
    for line in lines:
        command = re.sub(r"\s+#.*", "", line)
        if command.startswith("make"):
            problems += make(command.split())
        elif command.startswith("tests/run"):
            problems += tests_run(command.split())
        elif "--gdb " in command and command.startswith("./minikvm"):
            serve = command
        elif command.startswith("gdb") and serve:
            problems += session(serve, command)
            serve = None
        else:
            command = here(command).replace("gdb ", GDB + " ", 1) if command.startswith("gdb") else here(command)
            command += " -ex kill" if command.startswith("gdb") else ""
            status, printed = shell(command)
            problems += [f"{command}: status {status}\n{printed}"] if status else []
    return problems

def main(paths):
    count, problems = 0, []
    for path in paths:
        for kind, guest, lines in blocks(open(path).read()):
            count += len(lines)
            problems += [f"{path}: {p}" for p in {"console": console, "gdb": gdb, "sh": sh}[kind](guest, lines) if p]
    for p in problems:
        print("FAILED:", p, file=sys.stderr)
    return 1 if problems or not count else 0

sys.exit(main(sys.argv[1:]))
