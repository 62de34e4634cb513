"""A client of the Debug Adapter Protocol (microsoft.github.io/debug-adapter-protocol) for
`gdb -i=dap`: what an editor sends in a session with the guest pmode. An assertion that
fails prints what was said.

usage: dap.py ADDRESS [long]       what `target remote` takes; long: the guest is long64
"""
import json, subprocess, sys

class Adapter:
    """gdb, with requests and answers in turn; events that come in between are kept."""
    def __init__(self):
        self.gdb = subprocess.Popen(["gdb", "-q", "-nx", "-nh", "-i=dap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sent, self.events = 0, []

    def read(self):
        length = 0
        while (line := self.gdb.stdout.readline().strip()):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "gdb has ended"
        return json.loads(self.gdb.stdout.read(length))

    def send(self, command, **arguments):
        self.sent += 1
        body = json.dumps({"seq": self.sent, "type": "request", "command": command, "arguments": arguments}).encode()
        self.gdb.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.gdb.stdin.flush()
        return self.sent

    def answer(self, seq):
        while True:
            message = self.read()
            if message["type"] == "response" and message["request_seq"] == seq:
                assert message["success"], message
                return message.get("body", {})
            self.events.append(message)

    def ask(self, command, **arguments):
        return self.answer(self.send(command, **arguments))

    def event(self, name):
        for n, message in enumerate(self.events):
            if message["type"] == "event" and message["event"] == name:
                return self.events.pop(n).get("body", {})
        self.events.append(self.read())
        return self.event(name)

    def top(self):
        return self.ask("stackTrace", threadId=1)["stackFrames"][0]

    def value(self, expression, context="watch"):
        return self.ask("evaluate", expression=expression, context=context, frameId=self.top()["id"])["result"]

    def code(self, count):
        found = self.ask("disassemble", memoryReference=self.top()["instructionPointerReference"], instructionCount=count)
        return [i["instruction"].split()[0] for i in found["instructions"]]

    def registers(self):
        scopes = self.ask("scopes", frameId=self.top()["id"])["scopes"]
        reference = next(s["variablesReference"] for s in scopes if s["name"] == "Registers")
        return {v["name"]: v["value"] for v in self.ask("variables", variablesReference=reference)["variables"]}

    def goes(self, command, reason, **arguments):
        self.ask(command, threadId=1, **arguments)
        stopped = self.event("stopped")
        assert stopped["reason"] == reason, stopped

def same(seen, wanted):
    assert seen == wanted, f"{seen!r}, not {wanted!r}"

def session(gdb, address):
    can = gdb.ask("initialize", adapterID="test", linesStartAt1=True)
    assert can["supportsFunctionBreakpoints"] and can["supportsDisassembleRequest"], can
    gdb.event("initialized")
    attach = gdb.send("attach", target=address)
    points = gdb.ask("setFunctionBreakpoints", breakpoints=[{"name": "enter_protected"}])
    gdb.ask("configurationDone")
    gdb.answer(attach)
    same(gdb.event("stopped")["reason"], "attach")
    same(len(points["breakpoints"]), 1)
    same([t["id"] for t in gdb.ask("threads")["threads"]], [1])
    same((gdb.top()["name"], gdb.code(2)), ("_start", ["cli", "mov"]))

    gdb.goes("continue", "breakpoint")
    top = gdb.top()
    same((top["name"], top["source"]["name"]), ("enter_protected", "pmode.S"))
    same(gdb.value("$cpumode"), "REAL16")
    same((gdb.registers()["cr0"], gdb.registers()["cpumode"]), ("[ ET ]", "REAL16"))
    # over the instruction that sets CR0.PE (its code is still of 16 bits), and the far jump to one of 32
    gdb.goes("next", "step", granularity="instruction")
    same(gdb.value("$cr0"), "[ PE ET ]")
    same(gdb.code(1), ["ljmpl"])
    gdb.goes("stepIn", "stopped", granularity="instruction") # gdb has forgotten that it was a step
    same((gdb.top()["name"], gdb.value("$cpumode")), ("protected_entry", "PROT32"))
    same(gdb.code(2), ["mov", "mov"])
    same(gdb.registers()["cr0"], "[ PE ET ]")
    assert "code32" in gdb.value("monitor info segments", "repl"), "monitor in the console"
    same(gdb.ask("readMemory", memoryReference="0x1000", count=3)["data"], "+ma7")
    gdb.ask("setFunctionBreakpoints", breakpoints=[])
    gdb.ask("disconnect", terminateDebuggee=False)
    gdb.gdb.stdin.close()
    gdb.gdb.wait()

def long_session(gdb, address):
    """From 16 bits to 64: the code and the registers that an editor shows follow."""
    gdb.ask("initialize", adapterID="test", linesStartAt1=True)
    attach = gdb.send("attach", target=address)
    gdb.ask("setFunctionBreakpoints", breakpoints=[{"name": "long_entry"}])
    gdb.ask("configurationDone")
    gdb.answer(attach)
    gdb.event("stopped")
    while gdb.top()["name"] != "long_entry": # for some gdbs the switch is a stop of its own
        gdb.ask("continue", threadId=1)
        gdb.event("stopped")
    same(gdb.value("$cpumode"), "LONG64")
    assert "rip" in gdb.registers(), gdb.registers()
    same(gdb.value("sizeof($rsp)"), "8")
    gdb.ask("disconnect", terminateDebuggee=False)
    gdb.gdb.stdin.close()
    gdb.gdb.wait()

adapter = Adapter()
try:
    (long_session if sys.argv[2:] else session)(adapter, sys.argv[1])
finally:
    adapter.gdb.kill()
