/* INVARIANT() and the order of locks: what is broken ends the program, with its place. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/base/invariant.h"
#include "vmm/base/lock.h"
#include "vmm/cpu/breakpoints.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

static char said[512];

/* Does it end by abort()? What it says is in `said`. */
static bool aborts(void (*what)(void)) {
    int ends[2], status = 0;
    if (pipe(ends))
        return false;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        what();
        _exit(0);
    }
    close(ends[1]);
    ssize_t n, length = 0;
    while ((n = read(ends[0], said + length, sizeof said - 1 - (size_t)length)) > 0)
        length += n;
    said[length] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static int evaluated;
static bool note(bool value) {
    evaluated++;
    return value;
}

static void holds(void) { INVARIANT(note(true)); }
static void is_broken(void) { INVARIANT(1 + 1 == 3); }

static struct lock board, run, other_run, output;

static void in_order(void) {
    lock_take(&board);
    lock_take(&run);
    lock_take(&output);
    lock_release(&run);
    lock_release(&output);
    lock_take(&run);
    lock_release(&run);
    lock_release(&board);
}

static void out_of_order(void) {
    lock_take(&run);
    lock_take(&board);
}

static void two_of_a_rank(void) {
    lock_take(&run);
    lock_take(&other_run);
}

static void not_held(void) { lock_release(&run); }

/* It waits for nobody. */
static void tried_out_of_order(void) {
    lock_take(&run);
    if (!lock_try(&board))
        abort();
    lock_release(&board);
    lock_release(&run);
}

static void two_journals(void) {
    struct memory memory;
    memory_open(&memory, PAGE_SIZE);
    memory_journal_begin(&memory);
    memory_journal_begin(&memory);
}

static void an_unsorted_table(void) {
    struct breakpoints t = {0}, copy = {0};
    breakpoints_add(&t, BP_SOFT, 0x10, 1);
    breakpoints_add(&t, BP_SOFT, 0x30, 1);
    t.list[0].address = 0x40;
    breakpoints_copy(&copy, &t);
}

static void places_are_named(void) {
    char place[64];
    CHECK(aborts(is_broken));
    snprintf(place, sizeof place, "%s:", __FILE__);
    CHECK(!strncmp(said, place, strlen(place)) && strstr(said, "1 + 1 == 3"));
}

int main(void) {
    lock_init(&board, LOCK_BOARD);
    lock_init(&run, LOCK_RUN);
    lock_init(&other_run, LOCK_RUN);
    lock_init(&output, LOCK_CONSOLE);
    holds();
    CHECK(!aborts(holds) && !aborts(in_order) && !aborts(tried_out_of_order));
#ifdef INVARIANTS
    CHECK(evaluated == 1);
    places_are_named();
    CHECK(aborts(out_of_order) && strstr(said, "vmm/base/lock.c:"));
    CHECK(aborts(two_of_a_rank) && aborts(not_held));
    CHECK(aborts(two_journals) && strstr(said, "vmm/memory/journal.c:"));
    CHECK(aborts(an_unsorted_table) && strstr(said, "vmm/cpu/breakpoints.c:"));
    lock_take(&run);
    CHECK(lock_is_held(&run) && !lock_is_held(&other_run));
    lock_release(&run);
    CHECK(!lock_is_held(&run));
#else
    CHECK(evaluated == 0 && !aborts(is_broken));
    (void)out_of_order, (void)two_of_a_rank, (void)not_held, (void)two_journals;
    (void)an_unsorted_table, (void)places_are_named;
#endif
    return unit_end();
}
