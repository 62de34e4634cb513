/* Options together; see options_fit.h. */
#include "vmm/app/options_fit.h"

#include "vmm/app/drive_files.h"
#include "vmm/host/stderr.h"

/* A recording is of one machine, on the CPU that can do it again. */
static bool replay_is_possible(struct options *o) {
    if (o->count > 1 || o->machine.engine == ENGINE_KVM || o->machine.history == 0) {
        say("--replay takes one image, runs on the built-in CPU only, and needs a history; leave out "
            "further images, --cpu=kvm and --history=0");
        return false;
    }
    o->machine.engine = ENGINE_SOFT;
    return true;
}

/* A file that is written is one machine's, and its present's: not what a recording began with. */
static bool writing_is_possible(const struct options *o) {
    const struct machine_options *m = &o->machine;
    const char *path = m->boot_drive.flags & DISK_WRITE ? m->boot_drive.path : NULL;
    for (unsigned i = 0; i < m->drive_count; i++)
        if (m->drives[i].flags & DISK_WRITE)
            path = m->drives[i].path;
    if (!path || (o->count <= 1 && !m->replay))
        return true;
    say("%s: ,write is for one machine, and not for --replay: %s; leave out ,write", path,
        m->replay ? "what the recording began with would be changed" : "each would write over the others'");
    return false;
}

static bool has_image(const struct options *o) {
    if (o->count || o->machine.rom || o->list_packets || o->list_images)
        return true;
    say("no image; name one, for example: minikvm hello (see minikvm --help)");
    return false;
}

static bool logs_packets_of_somebody(const struct options *o) {
    if (!o->log_packets || o->gdb)
        return true;
    say("--log=packets: there are none without a debugger; add --gdb");
    return false;
}

static bool screenshot_is_of_one(const struct options *o) {
    if (!o->screenshot || o->count <= 1)
        return true;
    say("--screenshot is for one machine; leave out the other images");
    return false;
}

bool options_fit(struct options *o) {
    if (o->count == 0 && !o->machine.rom)
        drive_files_boot(o);
    if (!has_image(o) || (o->machine.replay && !replay_is_possible(o)) || !writing_is_possible(o) ||
        !logs_packets_of_somebody(o) || !screenshot_is_of_one(o))
        return false;
    drive_files_note_boot(&o->machine);
    return true;
}
