/* Signals as something to read; see signals.h. */
#include "vmm/app/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vmm/app/terminal.h"

/* Blocked here and in all threads to come, so that only the loop has them; one that
 * was ignored when we were started (nohup) stays so. A descriptor to read them from. */
static int take_signals(const int *signals, size_t count) {
    struct sigaction now;
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int signals_catch(int *ending, int *jobs) {
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP}, terminals[] = {SIGTSTP, SIGCONT, SIGWINCH};
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write() */
    terminal_catch_fatal();
    bool terminal = isatty(STDIN_FILENO);
    *ending = take_signals(ends, 3);
    *jobs = -1;
    if (*ending >= 0 && terminal)
        *jobs = take_signals(terminals, 3);
    return *ending < 0 || (terminal && *jobs < 0) ? -1 : 0;
}
