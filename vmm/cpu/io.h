/* The result of an access to a port or to a device's registers in memory. */
#ifndef MINIKVM_IO_H
#define MINIKVM_IO_H

/* A device's answer. */
enum io_result {
    IO_DONE,
    IO_STOP,    /* done; and the machine has a reason to stop after it */
    IO_RETRY,   /* not now: the instruction must not begin. Only before any of
                 its effects, so only for the first datum of an access */
    IO_NOBODY,  /* MMIO only: no device is there */
    IO_SERVICE, /* an OUT only: done; and cpu_host.service() is to be called at its end */
};

#endif
