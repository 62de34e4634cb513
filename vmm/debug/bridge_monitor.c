/* The monitor commands, as one table: a row is a command, its help and what
 * answers it. */
#include "vmm/debug/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/machine/engines.h"
#include "vmm/inspect/tables.h"
#include "vmm/cpu/register_access.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/x86.h"

struct request {
    struct debug *debug;
    struct machine *machine;
    const char *rest; /* what follows the command's name */
    const struct text *text;
};

static void put_out(void *context, const char *text) { gdb_print(context, "%s", text); }

/* Changing the engine by hand, at any stop. */
static void cmd_engine(const struct request *r) {
    char error[256];
    bool soft = !strcmp(r->rest, "soft"), kvm = !strcmp(r->rest, "kvm");
    if (*r->rest && !soft && !kvm)
        text_print(r->text, "engine takes soft or kvm, not \"%s\"\n", r->rest);
    else if (*r->rest &&
             !engines_change(r->machine, soft ? ENGINE_SOFT : ENGINE_KVM, error, sizeof error))
        text_print(r->text, "engine unchanged: %s\n", error);
    else if (*r->rest)
        snprintf(r->machine->engine_why, sizeof r->machine->engine_why, "monitor engine");
    inspect_engine(r->machine, r->text);
}

/* "on" or "off" into *flag, or a complaint. */
static void set_switch(const struct request *r, const char *what, bool *flag) {
    if (!strcmp(r->rest, "on") || !strcmp(r->rest, "off"))
        *flag = r->rest[1] == 'n';
    else if (*r->rest)
        text_print(r->text, "%s takes on or off, not \"%s\"\n", what, r->rest);
    text_print(r->text, "%s is %s\n", what, *flag ? "on" : "off");
}

static void cmd_regs(const struct request *r) { inspect_registers(r->machine, r->text); }
static void cmd_breakpoints(const struct request *r) { inspect_breakpoints(r->machine, r->text); }
static void cmd_exits(const struct request *r) {
    tables_print(tables_find("exits"), r->machine, r->text);
}
static void cmd_disks(const struct request *r) {
    tables_print(tables_find("disks"), r->machine, r->text);
}
static void cmd_phys(const struct request *r) { set_switch(r, "phys", &r->debug->physical); }

/* gdb keeps what it has read. */
static void cmd_addresses(const struct request *r) {
    static const char *const names[] = {"auto", "linear", "offset"};
    struct addresses *a = &r->machine->addresses;
    unsigned i = 0;
    while (i < 3 && strcmp(r->rest, names[i]))
        i++;
    if (i < 3)
        a->choice = (enum addresses_choice)i;
    else if (*r->rest)
        text_print(r->text, "addresses takes auto, linear or offset, not \"%s\"\n", r->rest);
    char now[160];
    bridge_say_addresses(r->machine, now, sizeof now);
    text_print(r->text, "addresses is %s; now %s\n", names[a->choice], now);
    bridge_note_addresses(r->debug, r->machine);
    if (i < 3)
        text_print(r->text, "type `maintenance flush register-cache` to see it\n");
}

static void cmd_screen(const struct request *r) {
    bool attributes = !strcmp(r->rest, "attributes");
    if (*r->rest && !attributes)
        text_print(r->text, "usage: monitor screen [attributes]\n");
    else
        inspect_screen(r->machine, attributes, r->text);
}

static void cmd_screenshot(const struct request *r) {
    bridge_screenshot(r->machine, r->rest, r->text);
}

static void cmd_step(const struct request *r) {
    struct request what = *r;
    bool irqs = !strncmp(r->rest, "irqs", 4), bios = !strncmp(r->rest, "bios", 4);
    if (!irqs && !bios) {
        text_print(r->text, "usage: monitor step irqs|bios [on|off]\n");
        return;
    }
    what.rest += 4 + strspn(r->rest + 4, " ");
    if (irqs)
        set_switch(&what, "step irqs", &shown_vcpu(r->machine)->cpu.step_irqs);
    else
        set_switch(&what, "step bios", &r->machine->rom_is_stepped);
}

static void cmd_wake(const struct request *r) {
    bridge_change(r->debug, r->machine);
    struct kvm_mp_state *mp = &cpu_write(&shown_vcpu(r->machine)->cpu, CPU_MP)->mp;
    bool halted = mp->mp_state == KVM_MP_STATE_HALTED;
    mp->mp_state = KVM_MP_STATE_RUNNABLE;
    text_print(r->text, halted ? "will continue after the HLT at the next resume\n"
                               : "the CPU is not halted\n");
}

/* gdb must not believe what it has read before: it does not, after a monitor
 * command that it cannot know; registers are read again with `flushregs`. */
static void cmd_reset(const struct request *r) {
    char error[256];
    if (machine_reset(r->machine, NULL, error, sizeof error) < 0)
        text_print(r->text, "cannot reset: %s\n", error);
    else
        text_print(r->text, "reset; type `maintenance flush register-cache` to see it\n");
}

static void cmd_quit(const struct request *r) {
    text_print(r->text, "minikvm ends\n");
    r->debug->quit = true;
}

static void cmd_icount(const struct request *r) { bridge_icount(r->machine, r->rest, r->text); }
static void cmd_goto(const struct request *r) { bridge_goto(r->machine, r->rest, r->text); }
static void cmd_history(const struct request *r) { bridge_history(r->machine, r->rest, r->text); }
static void cmd_when_mode(const struct request *r) {
    bridge_when_mode(r->machine, r->rest, r->text);
}
static void cmd_save(const struct request *r) { bridge_save(r->machine, r->rest, r->text); }
static void cmd_catch(const struct request *r) { monitor_catch(r->machine, r->rest, r->text); }

static const struct reg_layout *wanted_layout(struct machine *m) {
    const struct cpu_state *s = cpu_read(&shown_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    return register_layout(x86_mode_bits(x86_mode(&s->sregs, s->regs.rflags)));
}

/* A register as gdb names it, "$eip" or "eip"; `$pc`, `$sp` and `$fp` are names of gdb's own. */
static const struct reg *register_named(struct machine *m, const char *word) {
    static const char *const own[][3] = {
        {"pc", "eip", "rip"}, {"sp", "esp", "rsp"}, {"fp", "ebp", "rbp"}};
    const struct reg_layout *layout = wanted_layout(m);
    const char *name = *word == '$' ? word + 1 : word;
    const struct reg *reg = register_find(layout, name);
    for (unsigned i = 0; !reg && i < sizeof own / sizeof *own; i++)
        if (!strcmp(name, own[i][0]))
            reg = register_find(layout, own[i][layout->bits == 64 ? 2 : 1]);
    return reg;
}

static bool value_of(const struct request *r, const struct reg *reg, uint64_t *value) {
    *value = 0;
    if (register_read(&shown_vcpu(r->machine)->cpu, reg, (uint8_t *)value))
        return true;
    text_print(r->text, "the engine did not give %s\n", reg->name);
    return false;
}

/* A number, or a register. */
static bool number_of(const struct request *r, const char *word, uint64_t *number) {
    char *end;
    const struct reg *reg = register_named(r->machine, word);
    if (reg && reg->bits <= 64)
        return value_of(r, reg, number);
    *number = strtoull(word, &end, 0);
    if (*word && !*end)
        return true;
    text_print(r->text,
               "\"%s\" is not an address: give a number (0x1000) or a register (eip); "
               "gdb's expressions are not known here\n",
               word);
    return false;
}

static bool address_of(const struct request *r, const char *word, uint64_t *address) {
    if (!number_of(r, word, address))
        return false;
    *address = addresses_linear(*address, bridge_shift(shown_vcpu(r->machine)));
    return true;
}

/* "$sp 4": the register as a number. */
static void cmd_written(const struct request *r) {
    char name[16], text[64];
    size_t length = strcspn(r->rest, " ");
    uint64_t value;
    snprintf(name, sizeof name, "%.*s", (int)length, r->rest);
    const struct reg *reg = length < sizeof name ? register_named(r->machine, name) : NULL;
    reg = reg && reg->bits <= 64 ? reg : NULL;
    if (reg && !value_of(r, reg, &value))
        return;
    if (reg)
        snprintf(text, sizeof text, "%#llx%.30s", (unsigned long long)value, r->rest + length);
    bridge_when_written(r->machine, reg ? text : r->rest, r->debug->physical, r->text);
}

static uint64_t current_pc(struct machine *m) {
    const struct cpu_state *s = cpu_read(&shown_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}

static void cmd_page(const struct request *r) {
    uint64_t address = current_pc(r->machine);
    if (!*r->rest || address_of(r, r->rest, &address))
        inspect_page(r->machine, address, r->text);
}

/* "/4xw 0x1000"; a physical address is no client's address. */
static void dump(const struct request *r, bool physical) {
    uint64_t address;
    const char *word = r->rest;
    if (*word == '/')
        word += strcspn(word, " ");
    word += strspn(word, " ");
    if (!(physical ? number_of : address_of)(r, word, &address))
        return;
    if (!physical)
        address =
            (uint32_t)(address - bridge_shift(shown_vcpu(r->machine))) | (address >> 32 << 32);
    const char *wrong = bridge_dump(r->machine, physical, r->rest, address, r->text);
    if (wrong)
        text_print(r->text, "%s\n", wrong);
}

static void cmd_x(const struct request *r) { dump(r, false); }
static void cmd_xp(const struct request *r) { dump(r, true); }

static void cmd_cont(const struct request *r) {
    text_print(r->text, "gdb decides whether the guest runs: `continue`, and Ctrl-C to stop it\n");
}

static void cmd_explain(const struct request *r) {
    uint64_t address = current_pc(r->machine);
    if (!*r->rest || address_of(r, r->rest, &address))
        inspect_explain(r->machine, address, r->text);
}

static void cmd_info(const struct request *r) {
    unsigned count;
    const struct table *table = tables_find(r->rest);
    if (table) {
        tables_print(table, r->machine, r->text);
        return;
    }
    table = tables_list(&count);
    for (unsigned i = 0; i < count; i++)
        text_print(r->text, "monitor info %-9s %s\n", table[i].name, table[i].help);
}

static void cmd_help(const struct request *);

/* When a command is done. */
enum command_when {
    STANDING, /* at once, while the machine stands: it looks at the CPU */
    ANY_TIME, /* at once, in non-stop while the machine runs, too */
    LONG,     /* on the machine's thread, as a way through the past is: Ctrl-C ends it */
};

// clang-format off
static const struct command {
    const char *name, *arguments, *help;
    void (*run)(const struct request *);
    enum command_when when;
} commands[] = {
    {"help", "", "this list", cmd_help, ANY_TIME},
    {"regs", "", "all registers, system registers and hidden segment parts too", cmd_regs, STANDING},
    {"engine", "[soft|kvm]", "what runs the guest, and what it can do; or change it",
     cmd_engine, STANDING},
    {"catch", "WHAT [N]|off", "stop at events: mode, exception, interrupt, port, cr3, hypercall, bios",
     cmd_catch, STANDING},
    {"info", "TABLE", "gdt, ldt, idt, tss, pages, segments, cpus, devices, disks, bios, exits", cmd_info, STANDING},
    {"page", "[ADDR]", "the page walk of an address, level by level", cmd_page, STANDING},
    {"explain", "[ADDR]", "what an instruction will do, with the CPU's values of now",
     cmd_explain, STANDING},
    {"screen", "[attributes]", "what the guest's screen shows", cmd_screen, ANY_TIME},
    {"screenshot", "FILE", "a new file FILE.png: text and graphics, dot by dot", cmd_screenshot, ANY_TIME},
    {"screendump", "FILE", "", cmd_screenshot, ANY_TIME},
    {"breakpoints", "", "each breakpoint and watchpoint: how it is held, at what cost",
     cmd_breakpoints, STANDING},
    {"exits", "", "VM exit counts by reason", cmd_exits, STANDING},
    {"disks", "", "drives: their files, sizes and what was read and written", cmd_disks, STANDING},
    {"phys", "[on|off]", "memory commands take physical addresses", cmd_phys, STANDING},
    {"addresses", "[auto|linear|offset]", "what addresses are in 32-bit code whose CS has a base",
     cmd_addresses, STANDING},
    {"step", "irqs|bios [on|off]", "interrupts may enter while stepping; the BIOS's ROM is stepped, too",
     cmd_step, STANDING},
    {"wake", "", "let a halted CPU continue after its HLT", cmd_wake, STANDING},
    {"icount", "", "instructions done on the built-in CPU, and its virtual clock", cmd_icount, STANDING},
    {"goto", "N|start|end|-N", "to that count, back or forth; then `maintenance flush register-cache`",
     cmd_goto, LONG},
    {"history", "", "how far back it goes, snapshots, memory", cmd_history, LONG},
    {"when-written", "ADDR [LEN]", "the last write there: at which count, by which instruction",
     cmd_written, LONG},
    {"when-mode", "", "each change of the CPU's mode up to now, with its count", cmd_when_mode, LONG},
    {"save", "FILE", "the run up to where it stands, for --replay=FILE", cmd_save, LONG},
    {"reset", "", "back to before the first instruction; breakpoints stay", cmd_reset, STANDING},
    {"x", "[/FMT] ADDR", "memory, as QEMU's monitor shows it", cmd_x, STANDING},
    {"xp", "[/FMT] ADDR", "the same by physical address", cmd_xp, STANDING},
    {"cont", "", "as stop: they are gdb's `continue` and Ctrl-C", cmd_cont, STANDING},
    {"stop", "", "", cmd_cont, STANDING},
    {"quit", "", "end minikvm", cmd_quit, ANY_TIME},
};
// clang-format on
enum { COMMANDS = sizeof commands / sizeof *commands };

static void cmd_help(const struct request *r) {
    for (int i = 0; i < COMMANDS; i++) {
        char usage[48];
        if (!*commands[i].help)
            continue;
        snprintf(usage, sizeof usage, "%s %s", commands[i].name, commands[i].arguments);
        text_print(r->text, "monitor %-22s %s\n", usage, commands[i].help);
    }
}

/* --- those that take long -------------------------------------------------------------- */

struct later {
    struct debug *debug;
    unsigned client; /* that has asked; another one does not hear of it */
    struct request request;
    struct text text;
    const struct command *command;
    char rest[];
};

static void put_later(void *later, const char *text) {
    const struct later *l = later;
    if (atomic_load(&l->debug->client) == l->client)
        bridge_put_text(l->debug, text, strlen(text));
}

static void run_later(struct machine *m, void *context) {
    struct later *l = context;
    (void)m;
    l->command->run(&l->request);
    free(l);
}

static void begin_later(const struct command *c, const struct request *r, struct gdb_out *out) {
    size_t size = strlen(r->rest) + 1;
    struct later *l = malloc(sizeof *l + size);
    if (!l) {
        text_print(r->text, "no memory\n");
        return;
    }
    *l = (struct later){r->debug, atomic_load(&r->debug->client), *r, {put_later, l}, c};
    r->debug->commands++;
    l->request.rest = memcpy(l->rest, r->rest, size);
    l->request.text = &l->text;
    gdb_monitor_later(out, (int)r->machine->number);
    machine_do(r->machine, run_later, l);
}

static void run_command(const struct command *c, const struct request *r, struct gdb_out *out) {
    if (c->when != ANY_TIME && machine_busy(r->machine))
        text_print(r->text, "machine %u is running; interrupt it first\n", r->machine->number);
    else if (c->when == LONG)
        begin_later(c, r, out);
    else
        c->run(r);
}

bool bridge_monitor(void *target, struct gdb_thread thread, const char *line, struct gdb_out *out) {
    struct debug *d = target;
    struct machine *m = bridge_machine(d, thread.pid);
    struct text text = {put_out, out};
    char ours[256];
    bridge_show(d, thread);
    line = bridge_of_qemu(line, ours, sizeof ours);
    size_t n = strcspn(line, " /");
    struct request r = {d, m ? m : &d->machines[0], line + n + strspn(line + n, " "), &text};
    for (int i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].name) != n || strncmp(commands[i].name, line, n))
            continue;
        run_command(&commands[i], &r, out);
        return true;
    }
    return false;
}
