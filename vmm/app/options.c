/* The command line; see options.h. */
#include "vmm/app/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/app/manpage.h"
#include "vmm/app/options_fit.h"
#include "vmm/host/stderr.h"

#ifndef MINIKVM_VERSION
#define MINIKVM_VERSION "unknown"
#endif

enum { HISTORY_SIZE = 256 << 20 };

/* --- values -------------------------------------------------------------------------- */

/* A whole number, decimal or 0x…; with K, M or G when `size`. */
static bool number(const char *text, bool size, uint64_t *value) {
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 0);
    unsigned shift = 0;
    if (size && *end && strchr("kKmMgG", *end)) {
        shift = strchr("kK", *end) ? 10 : strchr("mM", *end) ? 20 : 30;
        end++;
    }
    if (errno || *end || (*value << shift) >> shift != *value)
        return false;
    *value <<= shift;
    return true;
}

/* One of "a|b|c": its index, or -1. */
static int choice(const char *text, const char *choices) {
    size_t length = strlen(text);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == length && !strncmp(text, choices, n))
            return i;
        if (!choices[n])
            return -1;
        choices += n + 1;
    }
}

static bool set_gdb(struct options *o, const char *value) {
    o->gdb = value ? value : "127.0.0.1:1234";
    return *o->gdb != 0;
}

static bool set_nowait(struct options *o, const char *value) {
    (void)value;
    return o->gdb_nowait = true;
}

static bool set_any_user(struct options *o, const char *value) {
    (void)value;
    return o->gdb_any_user = true;
}

static bool set_memory(struct options *o, const char *value) {
    return number(value, true, &o->machine.memory) && o->machine.memory >= (64 << 10) &&
           o->machine.memory <= MEMORY_MAX && o->machine.memory % PAGE_SIZE == 0;
}

static bool set_history(struct options *o, const char *value) {
    o->machine.records = true;
    return number(value, true, &o->machine.history) &&
           (o->machine.history == 0 || o->machine.history >= (1 << 20));
}

static bool set_replay(struct options *o, const char *value) {
    o->machine.replay = value;
    return *value != 0;
}

static bool set_load(struct options *o, const char *value) {
    o->machine.image.has_load = true;
    return number(value, false, &o->machine.image.load) && o->machine.image.load < MEMORY_MAX;
}

static bool set_entry(struct options *o, const char *value) {
    o->machine.image.has_entry = true;
    return number(value, false, &o->machine.image.entry);
}

static bool set_append(struct options *o, const char *value) {
    o->machine.image.append = value;
    return true;
}

/* "FILE,words": a kernel reads the file's name and the words. */
static bool set_module(struct options *o, const char *value) {
    unsigned n = o->machine.image.module_count;
    size_t length = strcspn(value, ",");
    char *path, *text;
    if (n == MULTIBOOT_MODULES || length == 0)
        return false;
    path = strndup(value, length);
    if (!path || asprintf(&text, "%s%s%s", path, value[length] ? " " : "",
                          value[length] ? value + length + 1 : "") < 0)
        return false;
    o->modules[n] = (struct multiboot_module){path, text};
    o->machine.image.modules = o->modules;
    o->machine.image.module_count++;
    return true;
}

static bool set_symbols(struct options *o, const char *value) {
    if (o->symbol_count == SYMBOL_FILES || !*value)
        return false;
    o->symbols[o->symbol_count++] = value;
    return true;
}

static bool set_rom(struct options *o, const char *value) {
    o->machine.rom = value;
    o->machine.image.firmware = true;
    return *value != 0;
}

/* FILE[,write]: our own copy of the path, which lasts as long as the program. */
static bool add_drive(struct options *o, const char *value, unsigned flags) {
    static const char write[] = ",write";
    size_t length = strlen(value), suffix = sizeof write - 1;
    bool writes = length >= suffix && !strcmp(value + length - suffix, write);
    char *path = o->machine.drive_count < DRIVES_MAX ? strdup(value) : NULL;
    if (!path)
        return false;
    if (writes)
        path[length - suffix] = 0;
    o->machine.drives[o->machine.drive_count++] =
        (struct drive_file){.path = path, .flags = flags | (writes ? DISK_WRITE : 0), .fd = -1};
    return *path != 0;
}

static bool set_disk(struct options *o, const char *value) { return add_drive(o, value, 0); }

static bool set_floppy(struct options *o, const char *value) { return add_drive(o, value, DISK_FLOPPY); }

/* Nothing can be written to one. */
static bool set_cdrom(struct options *o, const char *value) {
    return add_drive(o, value, DISK_CD) && !(o->machine.drives[o->machine.drive_count - 1].flags & DISK_WRITE);
}

static bool set_verbose(struct options *o, const char *value) {
    (void)value;
    return o->machine.verbose = true;
}

static bool set_stats(struct options *o, const char *value) {
    (void)value;
    return o->stats = true;
}

static bool set_screenshot(struct options *o, const char *value) {
    o->screenshot = value;
    return *value != 0;
}

static bool set_list_packets(struct options *o, const char *value) {
    (void)value;
    return o->list_packets = true;
}

static bool set_list_images(struct options *o, const char *value) {
    (void)value;
    return o->list_images = true;
}

/* "packets,exits": each names a log. */
static bool set_one_log(struct options *o, const char *name, size_t length) {
    const struct {
        const char *name;
        bool *on;
    } logs[] = {{"packets", &o->log_packets},
                {"exits", &o->machine.verbose},
                {"bios", &o->machine.log_bios},
                {"input", &o->log_input}};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        if (strlen(logs[i].name) == length && !strncmp(name, logs[i].name, length))
            return *logs[i].on = true;
    return false;
}

static bool set_log(struct options *o, const char *value) {
    for (size_t length;; value += length + 1) {
        length = strcspn(value, ",");
        if (!set_one_log(o, value, length))
            return false;
        if (!value[length])
            return true;
    }
}

#define CHOICE(function, field, list)                                                              \
    static bool function(struct options *o, const char *value) {                                   \
        int n = choice(value, list);                                                               \
        if (n >= 0)                                                                                \
            field = n;                                                                             \
        return n >= 0;                                                                             \
    }
/* Instrumented code opens files of its own. */
#ifdef MINIKVM_INSTRUMENTED
enum { UNCONFINED = true };
#else
enum { UNCONFINED = false };
#endif

static bool set_sandbox(struct options *o, const char *value) {
    int n = choice(value, "on|off");
    o->machine.unconfined = n == 1;
    return n >= 0;
}

CHOICE(set_cpu, o->machine.engine, "auto|kvm|soft")
static bool choose_cpuid(struct options *o, const char *value) {
    return !cpuid_choose(&o->machine.cpuid, value);
}

CHOICE(set_irqchip, o->machine.irqchip, "auto|none|on")
/* What is neither word is a file. */
static bool set_bios(struct options *o, const char *value) {
    int n = choice(value, "auto|none");
    o->machine.no_bios = o->machine.image.no_bios = n == 1;
    o->machine.rom = n < 0 ? value : NULL;
    o->machine.image.firmware = n < 0;
    return *value != 0;
}

static bool set_vgabios(struct options *o, const char *value) {
    o->machine.vga_rom = strcmp(value, "none") ? value : "";
    return *value != 0;
}

CHOICE(set_boot, o->machine.image.boot, "auto|floppy|disk|cdrom")
CHOICE(set_color, o->color, "auto|always|never")
/* The last two are how a picture is drawn; else it is asked for. */
static bool set_screen(struct options *o, const char *value) {
    int n = choice(value, "auto|on|off|sixel|blocks");
    o->screen = n <= SCREEN_OFF && n > 0 ? (enum screen_choice)n : SCREEN_AUTO;
    o->pixels = n == 3 ? PIXELS_SIXEL : n == 4 ? PIXELS_BLOCKS : PIXELS_AUTO;
    return n >= 0;
}

static bool set_mode(struct options *o, const char *value) {
    int n = choice(value, "real|protected|long|multiboot|multiboot2");
    o->machine.image.mode = START_REAL + n;
    return n >= 0;
}

/* --- the table ------------------------------------------------------------------------ */

enum takes { NOTHING, MAYBE, VALUE };

static const struct option {
    const char *name, *value;
    enum takes takes;
    bool (*set)(struct options *, const char *value);
    const char *help;
} options_table[] = {
    {"--cpu", "auto|kvm|soft", VALUE, set_cpu,
     "the engine: KVM, the built-in CPU, or (auto) KVM where it is there and able"},
    {"--cpuid", "+NAME,-NAME,intel,amd", VALUE, choose_cpuid,
     "switch CPUID's features on and off (-nx,+smep), choose the vendor"},
    {"--gdb", "[HOST:]PORT|unix:PATH|-", MAYBE, set_gdb,
     "wait for a debugger (default 127.0.0.1:1234; - is stdin and stdout)"},
    {"--gdb-any-user", NULL, NOTHING, set_any_user,
     "let every local user connect by TCP, not only you and root"},
    {"--gdb-nowait", NULL, NOTHING, set_nowait, "serve a debugger, but start the guests at once"},
    {"--mem", "SIZE", VALUE, set_memory,
     "guest RAM, 64K to 3G in 4K pages (16M; real mode 1M; hard disks, CDs 128M)"},
    {"--load", "ADDR", VALUE, set_load, "where a flat image goes, below 3G (0x1000, a boot sector 0x7C00)"},
    {"--entry", "ADDR", VALUE, set_entry, "start here instead of at the image's entry"},
    {"--mode", "real|protected|long|multiboot|multiboot2", VALUE, set_mode,
     "start in this mode, or as that header says"},
    {"--boot", "auto|floppy|disk|cdrom", VALUE, set_boot,
     "which kind of disk the image is (auto: by content and size)"},
    {"--append", "WORDS", VALUE, set_append, "a Multiboot kernel's command line, behind the image's name"},
    {"--module", "FILE[,WORDS]", VALUE, set_module,
     "a Multiboot module, and its command line; up to 32 times"},
    {"--symbols", "ELF[@ADDR]", VALUE, set_symbols,
     "more symbols for gdb, of a loader or a kernel (.text is at ADDR); up to 16 times"},
    {"--disk", "FILE[,write]", VALUE, set_disk,
     "a hard disk, up to 4; writes stay in memory, with ,write they go to the file"},
    {"--floppy", "FILE[,write]", VALUE, set_floppy, "a floppy, up to 2; likewise"},
    {"--cdrom", "FILE", VALUE, set_cdrom, "a CD or DVD (ISO 9660), up to 2; read-only"},
    {"--bios", "auto|none|FILE", VALUE, set_bios,
     "none: no BIOS; FILE: this one, SeaBIOS for example, from its reset vector on"},
    {"--rom", "FILE", VALUE, set_rom, "the same as --bios=FILE"},
    {"--vgabios", "FILE|none", VALUE, set_vgabios,
     "the video BIOS for --bios=FILE (vgabios-stdvga.bin beside it, if it is there)"},
    {"--irqchip", "auto|none|on", VALUE, set_irqchip,
     "interrupt controller and timer (auto: none for small real-mode guests)"},
    {"--history", "SIZE", VALUE, set_history,
     "memory for going back in time on the built-in CPU, 1M or more (256M); 0: none"},
    {"--replay", "FILE", VALUE, set_replay, "replay a recording (made by monitor save FILE)"},
    {"--sandbox", "on|off", VALUE, set_sandbox,
     "off: no Landlock, no seccomp; a debugger may load and save any file"},
    {"--color", "auto|always|never", VALUE, set_color,
     "each machine's lines in a colour of its own"},
    {"--screen", "auto|on|off|sixel|blocks", VALUE, set_screen,
     "show the guest's screen on the terminal (auto: once there is something on it)"},
    {"--screenshot", "FILE.png", VALUE, set_screenshot,
     "at the end: write one machine's screen as a PNG"},
    {"--verbose", NULL, NOTHING, set_verbose, "log VM exits, POST codes and unclaimed ports"},
    {"--stats", NULL, NOTHING, set_stats,
     "at the end: time to the first instruction, exits, instructions, memory in use"},
    {"--log", "packets,exits,bios,input", VALUE, set_log,
     "log on stderr: gdb's packets; VM exits; BIOS calls, or what --bios=FILE says; input"},
    {"--list-packets", NULL, NOTHING, set_list_packets,
     "print which packets of gdb's remote protocol are served, and exit"},
    {"--list-images", NULL, NOTHING, set_list_images,
     "print which kinds of image are known, and how each starts, and exit"},
    {"--version", NULL, NOTHING, NULL, "print the version and exit"},
    {"--help", NULL, NOTHING, NULL, "print this and exit"},
    {"--man", NULL, NOTHING, NULL, "print the manual page (roff) and exit"},
};
enum { OPTIONS = sizeof options_table / sizeof *options_table };

static void spell(const struct option *o, char *out, size_t size) {
    const char *open = o->takes == MAYBE ? "[=" : "=", *close = o->takes == MAYBE ? "]" : "";
    snprintf(out, size, "%s%s%s%s", o->name, o->value ? open : "", o->value ? o->value : "",
             o->value ? close : "");
}

static void print_help(void) {
    char text[80];
    printf("usage: minikvm [options] IMAGE [IMAGE...]\n\n"
           "Boots small x86 guests and lets gdb look inside. IMAGE is a path, or the name\n"
           "of a built guest (hello, paging, os-1k, ...); 1 to %d, each a machine of its own.\n\n",
           MACHINES_MAX);
    for (int i = 0; i < OPTIONS; i++) {
        spell(&options_table[i], text, sizeof text);
        printf("  %-32s %s\n", text, options_table[i].help);
    }
    printf("\nExit status: the guest's; 124 when the guest died, 125 for minikvm's own errors,\n"
           "2 for a wrong command line. In a terminal, Ctrl-A h helps.\n");
}

/* A hyphen that a person can copy into a shell is `\-` in roff. */
static void print_roff(const char *text) {
    for (; *text; text++)
        *text == '-' ? fputs("\\-", stdout) : putchar(*text);
}

static void print_man(void) {
    char text[80], date[16];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
    printf(".TH MINIKVM 1 %s \"minikvm %s\"\n%s", date, MINIKVM_VERSION, manpage_before);
    for (int i = 0; i < OPTIONS; i++) {
        spell(&options_table[i], text, sizeof text);
        fputs(".TP\n.B ", stdout);
        print_roff(text);
        printf("\n%s\n", options_table[i].help);
    }
    fputs(manpage_after, stdout);
}

/* --- parsing ---------------------------------------------------------------------------- */

static const struct option *find(const char *arg, const char **value) {
    size_t n = strcspn(arg, "=");
    *value = arg[n] ? arg + n + 1 : NULL;
    for (int i = 0; i < OPTIONS; i++)
        if (strlen(options_table[i].name) == n && !strncmp(options_table[i].name, arg, n))
            return &options_table[i];
    return NULL;
}

static bool wrong(const char *format, const char *a, const char *b) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    say(format, a, b);
#pragma GCC diagnostic pop
    return false;
}

/* `--mem 1M` is read as `--mem=1M`, as getopt_long() would. */
static bool take_option(struct options *o, int argc, char **argv, int *i) {
    const char *value;
    const struct option *option = find(argv[*i], &value);
    if (!option)
        return wrong("%s: no such option; see minikvm --help%s", argv[*i], "");
    if (option->takes == NOTHING && value)
        return wrong("%s takes no value; leave out %s", option->name, value);
    if (option->takes == VALUE && !value && *i + 1 < argc)
        value = argv[++*i];
    if (option->takes == VALUE && !value)
        return wrong("%s needs a value: %s", option->name, option->value);
    if (option->set(o, value))
        return true;
    say("%s=%s: invalid value; expected %s: %s", option->name, value ? value : "", option->value,
        option->help);
    return false;
}

static bool take_image(struct options *o, char *arg) {
    if (o->count == MACHINES_MAX) {
        say("too many images: %d is the most; start a second minikvm for the rest", MACHINES_MAX);
        return false;
    }
    o->images[o->count++] = arg;
    return true;
}

static bool told(const char *arg) {
    if (!strcmp(arg, "--help"))
        print_help();
    else if (!strcmp(arg, "--man"))
        print_man();
    else if (!strcmp(arg, "--version"))
        printf("minikvm %s\n", MINIKVM_VERSION);
    else
        return false;
    return true;
}

void options_close(struct options *o) {
    for (unsigned i = 0; i < o->machine.image.module_count; i++) {
        free((char *)o->modules[i].path);
        free((char *)o->modules[i].text);
    }
    o->machine.image.module_count = 0;
}

enum options_result options_parse(struct options *o, int argc, char **argv) {
    *o = (struct options){.machine.history = HISTORY_SIZE, .machine.unconfined = UNCONFINED};
    bool options_end = false;
    for (int i = 1; i < argc; i++) {
        bool is_option = !options_end && argv[i][0] == '-' && argv[i][1];
        if (is_option && !strcmp(argv[i], "--"))
            options_end = true;
        else if (is_option && told(argv[i]))
            return OPTIONS_DONE;
        else if (!(is_option ? take_option(o, argc, argv, &i) : take_image(o, argv[i])))
            return OPTIONS_WRONG;
    }
    if (o->gdb_nowait && !o->gdb)
        set_gdb(o, NULL);
    if (!options_fit(o))
        return OPTIONS_WRONG;
    o->machine.debugged = o->gdb != NULL;
    return OPTIONS_RUN;
}
