/* A picture at the end; see screenshot.h. */
#include "vmm/app/screenshot.h"

#include <errno.h>

#include "vmm/host/files.h"
#include "vmm/host/stderr.h"
#include "vmm/inspect/inspect.h"

bool screenshot_open(struct screenshot *s, const char *path) {
    s->path = path;
    s->file = path ? fopen(path, "wbe") : NULL;
    if (path && !s->file)
        say("--screenshot=%s: %s", path, file_error(errno));
    return !path || s->file;
}

bool screenshot_take(struct screenshot *s, struct machine *m) {
    char error[200] = "";
    if (!s->file)
        return true;
    bool is_there = m && m->run.has_thread;
    bool good = is_there && inspect_screenshot(m, s->file, error, sizeof error);
    if (fclose(s->file) && good) {
        snprintf(error, sizeof error, "%s", file_error(errno));
        good = false;
    }
    s->file = NULL;
    if (is_there && !good)
        say("--screenshot=%s: %s", s->path, error);
    return good || !is_there;
}
