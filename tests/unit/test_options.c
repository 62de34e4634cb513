/* The command line: each option and its values, what is wrong is said with what
 * would be right, --help and the manual page know every option. */
#include "tests/unit/unit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/app/options.h"

static struct options options;
static char printed[16384]; /* stdout and stderr of the last call */

/* Parses `minikvm` with the words given, up to a NULL. */
static enum options_result parse_words(char **words, int count) {
    FILE *file = tmpfile();
    if (!file) {
        perror("tmpfile");
        exit(1);
    }
    fflush(stdout);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    options_close(&options);
    enum options_result result = options_parse(&options, count, words);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    rewind(file);
    printed[fread(printed, 1, sizeof printed - 1, file)] = 0;
    fclose(file);
    return result;
}

static enum options_result parse(const char *first, ...) {
    static char storage[24][128];
    char *words[25] = {strcpy(storage[0], "minikvm")};
    int count = 1;
    va_list args;
    va_start(args, first);
    for (const char *word = first; word; word = va_arg(args, const char *)) {
        snprintf(storage[count], sizeof storage[count], "%s", word);
        words[count] = storage[count];
        count++;
    }
    va_end(args);
    return parse_words(words, count);
}

static void images(void) {
    CHECK(parse("hello", NULL) == OPTIONS_RUN && options.count == 1);
    CHECK_STR(options.images[0], "hello");
    CHECK(parse("a", "b", "a", NULL) == OPTIONS_RUN && options.count == 3);
    CHECK(parse("--", "--mem", NULL) == OPTIONS_RUN && options.count == 1);
    CHECK_STR(options.images[0], "--mem");
    CHECK(parse(NULL) == OPTIONS_WRONG && strstr(printed, "no image"));
    CHECK(parse("--rom=bios.bin", NULL) == OPTIONS_RUN); /* a ROM needs none */
    char name[] = "hello", *words[MACHINES_MAX + 2];
    for (int i = 0; i < MACHINES_MAX + 2; i++)
        words[i] = name;
    CHECK(parse_words(words, MACHINES_MAX + 1) == OPTIONS_RUN && options.count == 16);
    CHECK(parse_words(words, MACHINES_MAX + 2) == OPTIONS_WRONG && strstr(printed, "16"));
}

static void defaults(void) {
    CHECK(parse("hello", NULL) == OPTIONS_RUN && !*printed);
    CHECK(options.machine.engine == ENGINE_AUTO && options.machine.irqchip == IRQCHIP_AUTO);
    CHECK(options.machine.memory == 0 && !options.gdb && !options.stats && !options.gdb_nowait);
    CHECK(options.color == COLOR_AUTO && !options.machine.verbose && !options.machine.debugged);
    CHECK(options.machine.image.mode == START_AUTO && !options.machine.image.has_entry);
}

static void choices(void) {
    CHECK(parse("--cpu=soft", "x", NULL) == OPTIONS_RUN && options.machine.engine == ENGINE_SOFT);
    CHECK(parse("--cpu=kvm", "x", NULL) == OPTIONS_RUN && options.machine.engine == ENGINE_KVM);
    CHECK(parse("--irqchip=on", "x", NULL) == OPTIONS_RUN && options.machine.irqchip == IRQCHIP_ON);
    CHECK(parse("--irqchip=none", "x", NULL) == OPTIONS_RUN &&
          options.machine.irqchip == IRQCHIP_NONE);
    CHECK(parse("--color=never", "x", NULL) == OPTIONS_RUN && options.color == COLOR_NEVER);
    CHECK(parse("--mode=real", "x", NULL) == OPTIONS_RUN &&
          options.machine.image.mode == START_REAL);
    CHECK(parse("--mode=protected", "x", NULL) == OPTIONS_RUN &&
          options.machine.image.mode == START_PROTECTED);
    CHECK(parse("--mode=long", "x", NULL) == OPTIONS_RUN &&
          options.machine.image.mode == START_LONG);
    CHECK(parse("--stats", "--verbose", "x", NULL) == OPTIONS_RUN && options.stats &&
          options.machine.verbose);
    CHECK(parse("--cpu=kvm", "--cpu=soft", "x", NULL) == OPTIONS_RUN &&
          options.machine.engine == ENGINE_SOFT); /* the last one counts */
}

static void files_for_a_guest(void) {
    CHECK(parse("--append=a b", "--module=m,one,two", "--module", "n", "x", NULL) == OPTIONS_RUN);
    CHECK_STR(options.machine.image.append, "a b");
    CHECK(options.machine.image.module_count == 2 && options.count == 1);
    CHECK_STR(options.machine.image.modules[0].path, "m");
    CHECK_STR(options.machine.image.modules[0].text, "m one,two");
    CHECK_STR(options.machine.image.modules[1].text, "n");
    CHECK(parse("--module=,x", "x", NULL) == OPTIONS_WRONG && parse("--module=", "x", NULL) == OPTIONS_WRONG);
    char module[] = "--module=m", symbols[] = "--symbols=s", *words[MULTIBOOT_MODULES + 2];
    for (unsigned i = 0; i < MULTIBOOT_MODULES + 2; i++)
        words[i] = module;
    CHECK(parse_words(words, MULTIBOOT_MODULES + 1) == OPTIONS_WRONG);
    for (unsigned i = 0; i <= SYMBOL_FILES; i++)
        words[i] = symbols;
    CHECK(parse_words(words, SYMBOL_FILES + 1) == OPTIONS_WRONG);
    CHECK(parse("--symbols=a", "--symbols=b@0x7c00", "x", NULL) == OPTIONS_RUN && options.symbol_count == 2);
    CHECK(parse("--boot=disk", "x", NULL) == OPTIONS_RUN && options.machine.image.boot == BOOT_DISK);
    CHECK(parse("--mode=multiboot2", "x", NULL) == OPTIONS_RUN &&
          options.machine.image.mode == START_MULTIBOOT2);
    CHECK(parse("--list-images", NULL) == OPTIONS_RUN && options.list_images);
}

static void numbers(void) {
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"64K", 64 << 10}, {"65536", 65536}, {"0x10000", 65536}, {"1m", 1 << 20},
                 {"3G", 3ull << 30}, {"16M", 16 << 20}, {"0x40M", 64 << 20}};
    char word[64];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(word, sizeof word, "--mem=%s", sizes[i].text);
        CHECK(parse(word, "x", NULL) == OPTIONS_RUN && options.machine.memory == sizes[i].bytes);
    }
    CHECK(parse("--mem", "1M", "x", NULL) == OPTIONS_RUN && options.machine.memory == 1 << 20 &&
          options.count == 1); /* the value as a word of its own */
    CHECK(parse("--load=0x7c00", "x", NULL) == OPTIONS_RUN && options.machine.image.has_load &&
          options.machine.image.load == 0x7c00);
    CHECK(parse("--entry=0", "x", NULL) == OPTIONS_RUN && options.machine.image.has_entry &&
          options.machine.image.entry == 0);
}

static void debugger(void) {
    CHECK(parse("--gdb", "x", NULL) == OPTIONS_RUN && options.machine.debugged);
    CHECK_STR(options.gdb, "127.0.0.1:1234");
    CHECK(options.count == 1); /* the image is not its address */
    CHECK(parse("--gdb=unix:/tmp/s", "x", NULL) == OPTIONS_RUN);
    CHECK_STR(options.gdb, "unix:/tmp/s");
    CHECK(parse("--gdb=-", "x", NULL) == OPTIONS_RUN && !strcmp(options.gdb, "-"));
    CHECK(parse("--gdb-nowait", "x", NULL) == OPTIONS_RUN && options.gdb_nowait);
    CHECK_STR(options.gdb, "127.0.0.1:1234"); /* serving is meant */
}

/* Each is refused, and the message has the option's name and what it takes. */
static void wrong_values(void) {
    static const struct {
        const char *word, *takes;
    } rows[] = {
        {"--cpu=", "auto|kvm|soft"},       {"--cpu=qemu", "auto|kvm|soft"},
        {"--cpu=KVM", "auto|kvm|soft"},    {"--cpu=kv", "auto|kvm|soft"},
        {"--cpu=auto|kvm", "auto|kvm|soft"}, {"--irqchip=off", "auto|none|on"},
        {"--color=red", "auto|always|never"}, {"--mode=auto", "real|protected|long"},
        {"--mode=", "real|protected|long"}, {"--mem=", "64K to 3G"},
        {"--mem=0", "64K to 3G"},          {"--mem=63K", "64K to 3G"},
        {"--mem=65537", "4K pages"},       {"--mem=100000", "4K pages"},
        {"--mem=-1", "64K to 3G"},         {"--mem=1T", "64K to 3G"},
        {"--mem=1MB", "64K to 3G"},        {"--mem=M", "64K to 3G"},
        {"--mem=4G", "64K to 3G"},         {"--mem=0xffffffffffffffffff", "64K to 3G"},
        {"--mem=18014398509481984K", "64K to 3G"}, {"--mem= 1M", "64K to 3G"},
        {"--mem=1 M", "64K to 3G"},        {"--load=x", "ADDR"},
        {"--load=", "ADDR"},               {"--load=1K", "ADDR"},
        {"--load=0xc0000000", "ADDR"},     {"--load=-4096", "ADDR"},
        {"--entry=", "ADDR"},              {"--entry=0x", "ADDR"},
        {"--entry=main", "ADDR"},          {"--rom=", "FILE"},
        {"--gdb=", "[HOST:]PORT"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];
        CHECK(parse(rows[i].word, "x", NULL) == OPTIONS_WRONG);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(rows[i].word, "="), rows[i].word);
        unit_check(strstr(printed, name) != NULL, rows[i].word, printed, 0);
        unit_check(strstr(printed, rows[i].takes) != NULL, rows[i].word, printed, 0);
    }
}

static void wrong_options(void) {
    static const char *const words[] = {"--memory=1M", "--me=1M", "-m", "-h", "--", "--GDB", "---",
                                        "--gdb-", "--=x", "--c"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i], "--"))
            continue;
        CHECK(parse(words[i], "x", NULL) == OPTIONS_WRONG);
        CHECK(strstr(printed, words[i]) && strstr(printed, "--help"));
    }
    CHECK(parse("--stats=1", "x", NULL) == OPTIONS_WRONG && strstr(printed, "takes no value"));
    CHECK(parse("--verbose=", "x", NULL) == OPTIONS_WRONG && strstr(printed, "takes no value"));
    static const char *const need[] = {"--mem", "--cpu", "--mode", "--load", "--entry", "--rom",
                                       "--irqchip", "--color"};
    for (size_t i = 0; i < sizeof need / sizeof *need; i++)
        CHECK(parse("x", need[i], NULL) == OPTIONS_WRONG && strstr(printed, "needs a value"));
}

/* Roff writes a hyphen that can be copied as `\-`. */
static void without_backslashes(char *text) {
    char *to = text;
    for (; *text; text++)
        if (*text != '\\')
            *to++ = *text;
    *to = 0;
}

static void told(void) {
    static const char *const all[] = {"--cpu", "--gdb", "--gdb-nowait", "--mem", "--load",
                                      "--entry", "--mode", "--rom", "--irqchip", "--color",
                                      "--verbose", "--stats", "--version", "--help"};
    CHECK(parse("--version", NULL) == OPTIONS_DONE && !strncmp(printed, "minikvm ", 8));
    CHECK(parse("--help", NULL) == OPTIONS_DONE && !strncmp(printed, "usage: minikvm", 14));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(strstr(printed, all[i]));
    CHECK(parse("--man", NULL) == OPTIONS_DONE && !strncmp(printed, ".TH MINIKVM 1", 13));
    CHECK(strstr(printed, ".B \\-\\-cpu"));
    without_backslashes(printed);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK(strstr(printed, all[i]));
}

int main(void) {
    images();
    defaults();
    choices();
    files_for_a_guest();
    numbers();
    debugger();
    wrong_values();
    wrong_options();
    told();
    options_close(&options);
    return unit_end();
}
