/* What all devices share; see device.h. */
#include "vmm/devices/device.h"

#include <stdarg.h>
#include <stdio.h>

void device_row(const struct device_sink *sink, const char *device, const char *name,
                const char *format, ...) {
    char value[64];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    sink->row(sink->context, device, name, value);
}
