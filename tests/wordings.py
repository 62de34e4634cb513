"""What gdb words differently from version to version.

Transcripts are those of 13.1 (Debian 12); 16.3 is Debian 13's, 18.1 the next one's. A row:
who says what, its pattern, and what stands for it when two transcripts are compared.
"""
import re

WORDINGS = [(re.compile(pattern, re.M), text) for pattern, text in (
    # 18.1, at a switch: its displays stay only if the file of the new mode has no symbols to read.
    (r"^warning: `target:/cpu/.*': can't read symbols: file format not recognized\.\n", ""),
    # 13.1, 16.3, of machines beside the first when they first go on. 18.1: it has read what they are.
    (r"^process ([2-9]|1\d) is executing new program: /cpu/16-bit real mode\n", ""),
    # 16.3, 18.1. In 13.1: No more reverse-execution history.
    (r"^Reached end of recorded history; stopping\.\n"
     r"(Backward execution from here not possible|Following forward execution will be added to history)\.$",
     "No more reverse-execution history."),
    # 13.1, of a file that it has read from the stub. 16.3, 18.1: nothing.
    (r"^`target:.*' has disappeared; keeping its symbols\.\n", ""),
    # What cannot be run. 16.3, 18.1: the stub's own words. 13.1: its own.
    (r"^(\S+) is neither an image of the command line nor a built guest; start minikvm with it, or with --sandbox=off$",
     r'Running "\1" on the remote target failed'),
    # 13.1: 'E01', 'E.text'. 16.3, 18.1: '01', 'text'.
    (r"(remote failure reply ')E\.?", r"\1"),
    # 13.1, 16.3: what file a section is of, always. 18.1: when there are several.
    (r"(\w in section \S+) of .*", r"\1"),
    # 18.1: a line more when a stop is in another inferior than the last, and names of threads in full.
    (r"^\[Switching to inferior \d+ \[process \d+\] \(.*\)\]\n", ""),
    (r"^\[Switching to thread (\d+\.\d+) \(.*\)\]$", r"[Switching to Thread \1]"),
    (r"^(\[New Thread \d+\.\d+) \(id .*\)\]$", r"\1]"),
    # How often it says that it has rejected a description, and of what.
    (r"(^warning: (Selected a|A)rchitecture .*\n)+", "warning: Architecture rejected\n"),
    # Which of several locations at one address it names is a matter of its sort.
    (r"(reakpoint \d+)\.\d+, ", r"\1, "),
    # What `info inferiors` takes for the program: the latest file, or that of the first.
    (r"^([* ] \d+ +(?:process \d+|<null>) +\d+ \(.*?\)).*$", r"\1"),
    # What a local of a trace frame was at the function's entry, from 13.1; the frame below, from 16.3.
    (r", \w+@entry=<error reading variable: PC not available>", ""),
    (r"^Backtrace stopped: frame did not save the PC\n", ""),
)]

# Where a compiler has put a line of C.
LINE_OF_C = re.compile(r"^((?:Temporary b|Hardware assisted b|B)reakpoint \d+ at )0x[0-9a-f]+(: file \S+\.c, line)", re.M)

# What a compiler laid out, by guest: addresses (the boot code of the 1K OS, in assembler, is below, its loader
# is not), and how far into a function or an object they are.
COMPILED = {
    "os-1k": re.compile(r"\b(0x|[0-9a-f]{4}:)0*(1[0-9a-f]{6}|801[0-9a-f]{5}|8[0-9a-f]{3})\b"),
    "tasks64": re.compile(r"(\b0x0*|[0-9a-f]{4}:0*|(?<=[a-z_]) ?\+ ?)(10[0-9a-f]{4}|\d+)\b"),
}

def alike(text, guest=""):
    """The transcript in one wording for all versions, and if its guest is compiled, for all compilers."""
    for pattern, words in WORDINGS:
        text = pattern.sub(words, text)
    text = LINE_OF_C.sub(r"\1…\2", text)
    for name, pattern in COMPILED.items():
        if name in guest:
            text = pattern.sub(r"\1…", text)
    return text
