#!/usr/bin/env python3
"""Each call that minikvm makes fails once, and SIGTERM comes once before each; reads
and writes go a byte at a time, are interrupted, the clock jumps. Whatever happens, the
process ends by itself, with a status of its own, and says why if that is not 0.

usage: tests/faults/faults.py PROGRAM PRELOAD ENGINE...     ENGINE: kvm, soft
"""
import concurrent.futures, os, shutil, subprocess, sys, tempfile, threading, time

PROGRAM, PRELOAD, *ENGINES = sys.argv[1:]
GUESTS = os.path.join(os.environ.get("BUILD", "build"), "tests/guests")
LIMIT = 60   # seconds, for what hangs; a run takes some milliseconds
MOST = 2000  # calls; more than a run makes
EVERY = dict.fromkeys(("alloc", "ioctl", "io", "term"), MOST)
# Those that are not like the others' runs; ioctls up to where a machine with chips has been made.
DISK = {"alloc": MOST, "io": MOST, "ioctl": 48}

# A debugger's short visit to hello.
VISIT = ["qSupported:multiprocess+;swbreak+;vContSupported+", "?", "g", "m1000,20", "M2000,2:1234",
         "P0=01000000", "qXfer:features:read:target.xml:0,fff", "Z0,1002,1", "Z2,2000,40", "vCont;s:p1.1", "g", "z2,2000,40",
         "vCont;c:p1.1", "z0,1002,1", "qRcmd,72656773", "qRcmd,7061676520", "vCont;c:p1.1"]

# Everything that makes a machine anew: another image, the same, a bigger one, one that is
# too big or not there, another engine. Memory is looked at before and after.
def run(image):
    return "vRun;" + image.encode().hex()

def monitor(line):
    return "qRcmd," + line.encode().hex()

LOOK = ["m1000,10", "g"]
RESTARTS = ["qSupported:multiprocess+;swbreak+;vContSupported+", "!", "?", *LOOK, run("counter"), *LOOK,
            "vCont;s:p1.1", *LOOK, monitor("reset"), *LOOK, run("os-1k"), "m80200000,4", *LOOK, run("nothing"), *LOOK,
            run(""), "g", monitor("engine soft"), *LOOK, "vCont;s:p1.1", monitor("history"), run("hello"), *LOOK,
            monitor("engine kvm"), *LOOK, "vCont;s:p1.1", "vKill;1", run("hello"), *LOOK, "vCont;c:p1.1"]

def restart(p):
    return visit(p, RESTARTS)

def holds(asked, answers):
    """After a failed vRun memory is what it was."""
    before = None
    for text, answer in zip(asked, answers):
        if text.startswith("vRun") and not answer.startswith(b"E"):
            before = None  # another machine
        if text == LOOK[0] and answer and before not in (None, answer) and not answer.startswith(b"E"):
            return False
        before = answer if text == LOOK[0] else None if text.startswith(("vCont", "vKill", "qRcmd,72657365")) else before
    return True

def visit(p, texts=VISIT):
    """Asks, and waits for each answer; b"" when the process has ended."""
    answers, each = b"", []
    try:
        for text in texts:
            p.stdin.write(f"+${text}#{sum(text.encode()) % 256:02x}".encode())
            p.stdin.flush()
            answer = b"$O"
            while answer.startswith((b"$O", b"%")) and answer != b"$OK":
                answer = b""
                while (byte := p.stdout.read(1)) and byte != b"#":
                    answer = (answer + byte).lstrip(b"+")
                p.stdout.read(2)
                # text comes in pieces of any size
                answers += answer.removeprefix(b"$O") if answer != b"$OK" else answer
            each.append(answer.removeprefix(b"$"))
    except BrokenPipeError:
        pass
    p.holds = holds(texts, each)
    return answers

def serve(p):
    """Until it listens; nobody connects, and it is told to end."""
    listens = os.path.join(p.folder, "s")
    while p.poll() is None and not os.path.exists(listens):
        time.sleep(0.001)
    p.terminate()
    return b""

class Run:
    def __init__(self, case, fault):
        self.case, self.fault = case, fault
        with tempfile.TemporaryDirectory(prefix="minikvm-fault-") as self.folder:
            mark = os.path.join(self.folder, "mark")
            if any("@/disk" in word for word in case.words):  # its guest writes to it
                shutil.copy(os.path.join(GUESTS, "disk.img"), os.path.join(self.folder, "disk"))
            self.go(dict(os.environ, LD_PRELOAD=PRELOAD, FAULT=fault, FAULT_MARK=mark))
            self.happened = fault and os.path.getsize(mark) > 0
            self.left = [f for f in os.listdir(self.folder) if f not in ("mark", "disk")]

    def go(self, environment):
        words = [w.replace("@", self.folder) for w in self.case.words]
        p = subprocess.Popen([PROGRAM, *words], env=environment, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.folder, p.holds = self.folder, True
        hangs = threading.Timer(LIMIT, p.kill)
        hangs.start()
        self.answers = self.case.client(p) if self.case.client else b""
        self.out, self.err = p.communicate()
        self.holds = p.holds
        self.status = p.returncode if hangs.is_alive() else "hangs"
        hangs.cancel()

    def result(self):
        """Several machines' lines come in any order."""
        err = self.err.replace(self.folder.encode(), b"@")
        return self.status, sorted(self.out.splitlines()), err, self.answers

    def problem(self):
        ended = self.status in (-15, 143)
        if not self.holds:
            return "a failed vRun has changed the machine"
        if self.status == "hangs":
            return "it hangs"
        if self.left:
            return f"left behind: {self.left}"
        if ended and (self.fault.startswith("term:") or self.case.client == serve):
            return None
        if self.status < 0:
            return f"killed by signal {-self.status}"
        if self.status and b"minikvm: " not in self.err:
            return "it does not say why it failed"
        return None

class Case:
    def __init__(self, words, client=None, most=EVERY):
        self.words, self.client, self.most = words, client, most

    def __str__(self):
        return " ".join(self.words) + (f" ({self.client.__name__})" if self.client else "")

def all_of(kind, case, pool):
    """Runs with the first, second, … call failing, until there are no more calls."""
    bad, n, step = [], 1, 16
    while n < case.most[kind]:
        runs = list(pool.map(lambda k: Run(case, f"{kind}:{k}"), range(n, n + step)))
        happened = [r for r in runs if r.happened]
        bad += [r for r in happened if r.problem()]
        n += len(happened)
        if len(happened) < step:
            break
    return n - 1, bad

def main():
    cases = [case for e in ENGINES for case in (
        Case([f"--cpu={e}", "hello"]), Case([f"--cpu={e}", "hello", "counter"]),
        Case([f"--cpu={e}", "--history=4M", "--disk=@/disk,write", os.path.join(GUESTS, "ide.elf")], most=DISK),
        Case([f"--cpu={e}", "--gdb=unix:@/s", "hello"], serve),
        Case([f"--cpu={e}", "--gdb=-", "hello"], visit), Case([f"--cpu={e}", "--gdb=-", "hello"], restart))]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for case in cases:
            for kind in case.most:
                count, bad = all_of(kind, case, pool)
                print(f"{case}: {count} times {kind}, {len(bad)} bad")
                passed, failed = passed + count - len(bad), failed + len(bad)
                for r in bad[:5]:
                    print(f"  FAULT={r.fault}: status {r.status}: {r.problem()}: {r.err[-300:]}")
            if case.client == serve:
                continue  # ended at any moment: what it has said by then differs
            usual = Run(case, "").result()
            for kind in ("short", "eintr", "clock"):
                same = Run(case, kind).result() == usual
                passed, failed = passed + same, failed + (not same)
                if not same:
                    print(f"  {case}: FAULT={kind}: not as without: {Run(case, kind).result()}"[:500])
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0 or passed == 0)

if __name__ == "__main__":
    main()
