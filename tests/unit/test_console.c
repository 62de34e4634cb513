/* The console of many machines: a colour each, and keys that reach each. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/app/console.h"

static struct console console;
static int out[2];

static void start(unsigned machines) {
    CHECK(!pipe(out));
    CHECK(!console_open(&console, out[1], -1, machines, COLOR_ALWAYS));
    console.raw = true;
}

static void end(void) {
    console_close(&console, true);
    close(out[0]);
    close(out[1]);
}

/* What one machine's line comes as. */
static void line_of(unsigned machine, char *text, size_t size) {
    console_print(&console, machine, "x\n", 2);
    ssize_t n = read(out[0], text, size - 1);
    text[n > 0 ? n : 0] = '\0';
}

static void each_machine_has_a_colour_of_its_own(void) {
    char line[MACHINES_MAX][64];
    start(MACHINES_MAX);
    for (unsigned i = 0; i < MACHINES_MAX; i++) {
        line_of(i + 1, line[i], sizeof line[i]);
        CHECK(!strncmp(line[i], "\033[", 2) && strstr(line[i], "mx\033[0m\n"));
        for (unsigned k = 0; k < i; k++)
            CHECK(strcmp(line[i], line[k]));
    }
    end();
}

/* The machine that has the terminal after these keys, and how many bytes it gets. */
static unsigned typed(const char *keys, size_t *bytes, bool *quit) {
    unsigned char text[32];
    size_t length = strlen(keys);
    memcpy(text, keys, length);
    *quit = false;
    *bytes = console_typed(&console, text, &length, quit);
    return console.focus;
}

static void keys_reach_each_machine(void) {
    size_t bytes;
    bool quit;
    start(MACHINES_MAX);
    CHECK(typed("\0019", &bytes, &quit) == 9 && bytes == 0 && !quit);
    for (unsigned i = 10; i <= MACHINES_MAX; i++)
        CHECK(typed("\001n", &bytes, &quit) == i && bytes == 0);
    CHECK(typed("abc", &bytes, &quit) == MACHINES_MAX && bytes == 3);
    CHECK(typed("\001n", &bytes, &quit) == 1);
    CHECK(typed("\001a", &bytes, &quit) == 1 && bytes == 1);
    CHECK(typed("\001x", &bytes, &quit) == 1 && quit);
    end();
    start(2);
    CHECK(typed("\0013", &bytes, &quit) == 1); /* there is none */
    CHECK(typed("\001n", &bytes, &quit) == 2 && typed("\001n", &bytes, &quit) == 1);
    end();
}

int main(void) {
    each_machine_has_a_colour_of_its_own();
    keys_reach_each_machine();
    return unit_end();
}
