"""What a person types and sees in a gdb session of tests/gdb: the script NAME.gdb, which
has the comments, beside the transcript NAME.out, which tests/run has checked.
"""
import os, re

GDB = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "gdb")

class Session:
    def __init__(self, name):
        self.name = name
        self.directives, self.about, self.steps = {}, "", []
        self._read_script(open(os.path.join(GDB, name + ".gdb")).read().splitlines())
        self._read_transcript(open(os.path.join(GDB, name + ".out")).read().splitlines())

    def _read_script(self, lines):
        """steps: of each command the comment ahead of it, the command, and what it prints."""
        comment = []
        for line in lines:
            directive = re.match(r"# (title|guest|connect|engines|needs|input|output|status|before): *(.*)", line)
            if directive and not self.steps:
                self.directives[directive[1]] = directive[2]
                self.about, comment = self.about or " ".join(comment), []
            elif line.startswith("#"):
                comment.append(line.lstrip("# "))
            else:
                self.steps.append([" ".join(comment), line, []])
                comment = []

    def _read_transcript(self, lines):
        """A command that is traced and that nobody typed is one that gdb gave itself."""
        self.greeting, printed, left = [], None, iter(self.steps)
        step = next(left)
        for line in lines:
            if line == "+" + step[1]:
                printed, step = step[2], next(left, [None, "\0", None])
            elif printed is None:
                self.greeting.append(line)
            elif not line.startswith("+") and not re.fullmatch(r"\[Inferior \d+ \(.*\) detached\]", line):
                printed.append(line)
        if step[1] != "\0":
            raise ValueError(f"{self.name}.out does not reach the command {step[1]}")

    def command_lines(self):
        """How a person starts it: minikvm's, and gdb's."""
        guest = self.directives["guest"].replace("@BUILD@", "build")
        cpu = "--cpu=soft " if self.directives.get("engines") == "soft" else ""
        connect = self.directives.get("connect", "remote")
        return f"./minikvm {cpu}--gdb {guest}", f"gdb -ex 'target {connect} :1234'"
