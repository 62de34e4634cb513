"""A terminal for tests: minikvm runs on a pty, and what it writes there is kept as a terminal
shows it. See screen.sh."""
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time

LIMIT = 100  # seconds, for what hangs, which may have but a part of a processor


class Grid:
    def __init__(self, rows, columns):
        self.cells = [[(" ", "")] * columns for _ in range(rows)]
        self.row = self.column = 0


class Terminal:
    """What xterm does with the sequences that minikvm uses; any other is an error."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.normal, self.other = Grid(rows, columns), Grid(rows, columns)
        self.alternate, self.wrap, self.cursor_shown, self.shape, self.pen = False, True, True, "0", ""
        self.bells = 0
        self.mouse = set()  # modes in which it tells of its mouse
        self.text = ""  # all that was written to the normal screen
        self.asked = False  # for its attributes
        self.cell, self.dots = 0, {}  # of sixels: y, x: red, green, blue in percent
        self.rest = b""

    @property
    def grid(self):
        return self.other if self.alternate else self.normal

    def line(self, row):
        return "".join(c for c, _ in self.grid.cells[row]).rstrip()

    def pen_at(self, row, column):
        return self.grid.cells[row][column][1]

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.normal, self.other = Grid(rows, columns), Grid(rows, columns)

    def feed(self, data):
        """CAN ends what is not whole, for nothing: a sequence, a picture, a character."""
        data = re.sub(rb"(\x1b(\[[?0-9; ]*|P[^\x1b\x18]*\x1b?)?|[\xc0-\xff][\x80-\xbf]*)\x18", b"", self.rest + data)
        while data:
            if data.startswith(b"\x1bP"):
                end = data.find(b"\x1b\\")
                if end < 0:
                    break
                self.sixels(data[2:end].decode())
                data = data[end + 2:]
                continue
            m = re.match(rb"\x1b\[([?0-9; ]*)([A-Za-z])|[^\x1b]", data)
            if not m and len(data) < 40:
                break
            assert m, f"not a sequence that it knows: {data[:40]}"
            if m[2]:
                self.control(m[1].decode(), m[2].decode())
                data = data[m.end():]
            else:
                n = max(1, len(data.split(b"\x1b")[0]))
                try:
                    text = data[:n].decode()
                except UnicodeDecodeError as e:
                    if e.end < n or n < len(data):
                        raise
                    text, n = data[:e.start].decode(), e.start
                for c in text:
                    self.put(c)
                if n == 0:
                    break
                data = data[n:]
        self.rest = data

    def sixels(self, text):
        top = self.grid.row * self.cell
        size = re.match(r'0;1;0q"1;1;([0-9]+);([0-9]+)', text)
        assert size and self.alternate and self.grid.column == 0, f"no picture: {text[:40]}"
        colors, color, x, y = {}, 0, 0, 0
        for number, define, count, c in re.findall(r"#([0-9]+)((?:;[0-9]+)*)|!?([0-9]*)(.)", text[size.end():]):
            if number:
                color = int(number)
                if define:
                    colors[color] = tuple(int(n) for n in define.split(";")[2:])
            elif c in "$-":
                x, y = 0, y + 6 * (c == "-")
            else:
                for _ in range(int(count or 1)):
                    for bit in range(6):
                        if ord(c) - 63 >> bit & 1:
                            self.dots[top + y + bit, x] = colors[color]
                    x += 1
                assert x <= int(size[1]) and "?" <= c <= "~"
        assert y <= int(size[2]) + 5

    def put(self, c):
        g = self.grid
        if not self.alternate:
            self.text += c
        if c == "\n":
            g.row += 1
            if g.row == self.rows:
                g.row -= 1
                g.cells = g.cells[1:] + [[(" ", "")] * self.columns]
        elif c == "\r":
            g.column = 0
        elif c == "\a":
            self.bells += 1
        elif c == "\x18":
            pass
        else:
            assert c >= " ", f"a control character: {c!r}"
            if g.column == self.columns:
                assert not self.wrap or not self.alternate, "wrapped"
                g.column -= 1
            g.cells[g.row][g.column] = (c, self.pen)
            g.column += 1

    def control(self, numbers, last):
        g = self.grid
        if last == "H":
            row, column = (int(n) for n in numbers.split(";"))
            g.row, g.column = min(row, self.rows) - 1, min(column, self.columns) - 1
        elif last == "m":
            self.pen = numbers
        elif last == "J" and numbers == "2":
            g.cells = Grid(self.rows, self.columns).cells
        elif last == "c" and not numbers:
            self.asked = True
        elif last == "q" and numbers.endswith(" "):
            self.shape = numbers[0]
        elif last in "hl" and numbers == "?1049":
            self.alternate = last == "h"
        elif last in "hl" and numbers == "?7":
            self.wrap = last == "h"
        elif last in "hl" and numbers in ("?1003", "?1006"):
            (self.mouse.add if last == "h" else self.mouse.discard)(numbers[1:])
        elif last in "hl" and numbers == "?25":
            self.cursor_shown = last == "h"
        else:
            raise AssertionError(f"not a sequence that it knows: ESC [ {numbers}{last}")


class Run:
    """minikvm in the foreground of a terminal of its own."""

    def __init__(self, *words, rows=30, columns=90, environment=None, cell=(0, 0)):
        self.terminal = Terminal(rows, columns)
        self.cell, self.terminal.cell = cell, cell[1]
        self.master, self.slave = pty.openpty()
        self.set_size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        env = {k: v for k, v in os.environ.items() if k not in ("COLORTERM", "NO_COLOR", "LC_ALL")}
        env.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")
        env.update(environment or {})

        def begin():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT:
                signal.signal(number, signal.SIG_DFL)
        self.process = subprocess.Popen(words, stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=env, preexec_fn=begin)

    def set_size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, 
                    struct.pack("HHHH", rows, columns, columns * self.cell[0], rows * self.cell[1]))

    def resize(self, rows, columns):
        self.read(0)
        self.terminal.resize(rows, columns)
        self.set_size(rows, columns)
        os.kill(self.process.pid, signal.SIGWINCH)

    def read(self, seconds):
        while select.select([self.master], [], [], seconds)[0]:
            self.terminal.feed(os.read(self.master, 65536))
            seconds = 0

    def wait(self, what, condition):
        """Until the terminal shows it."""
        end = time.monotonic() + LIMIT
        while not condition(self.terminal):
            if time.monotonic() > end:
                print(*(self.terminal.line(r) for r in range(self.terminal.rows)), sep="\n")
                sys.exit(f"waited in vain: {what}")
            self.read(0.05)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ECHO

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        """Its status; the terminal as it left it, checked."""
        status, limit = None, time.monotonic() + LIMIT
        while status is None:
            if time.monotonic() > limit:
                print(*(self.terminal.line(r) for r in range(self.terminal.rows)), sep="\n")
                sys.exit("it does not end")
            self.read(0.02)
            status = self.process.poll()
        self.read(0)
        t = self.terminal
        assert not t.alternate and t.wrap and t.cursor_shown and t.shape == "0", "not restored"
        assert termios.tcgetattr(self.slave) == self.before, "left raw"
        return status


def check(what, is_so):
    if not is_so:
        print(f"FAILED: {what}")
        check.failed = True


check.failed = False
