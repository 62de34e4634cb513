"""gdb by its machine interface, as editors drive it. What goes wrong ends the program with
all that was said.
"""
import re, subprocess, sys

class Mi:
    def __init__(self, address):
        self.gdb = subprocess.Popen(["gdb", "-q", "-nx", "-nh", "-i=mi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True)
        self.said = []
        self.command("-gdb-set pagination off")
        self.command("-target-select remote " + address, r"\^connected")

    def until(self, what):
        for line in self.gdb.stdout:
            self.said.append(line)
            if re.match(what, line):
                return line
            if line.startswith("^error"):
                break
        sys.exit("no " + what + "; said:\n" + "".join(self.said[-60:]))

    def command(self, line, answer=r"\^done"):
        self.said.append("> " + line + "\n")
        self.gdb.stdin.write(line + "\n")
        self.gdb.stdin.flush()
        return self.until(answer)

    def goes(self, line, *parts):
        """It runs, and stops with a record that has these parts."""
        self.command(line, r"\^running")
        stop = self.until(r"\*stopped")
        for part in parts:
            if part not in stop:
                sys.exit(f"{line}: no {part} in {stop}")
        return stop

    def value(self, expression):
        return re.match(r'\^done,value="(.*)"$', self.command(f"-data-evaluate-expression {expression}"))[1]

    def code(self, count=1):
        """Mnemonics from the program counter on."""
        found = self.command("-data-disassemble -s $pc -e \"$pc + 24\" -- 0")
        return [text.split()[0] for text in re.findall(r'inst="([^"]*)"', found)[:count]]

    def same(self, seen, wanted):
        if seen != wanted:
            sys.exit(f"{seen!r}, not {wanted!r}; said:\n" + "".join(self.said[-30:]))

    def end(self):
        self.gdb.stdin.write("kill\n-gdb-exit\n")
        self.gdb.stdin.close()
        self.gdb.wait()
