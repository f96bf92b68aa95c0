// Sets its capabilities to the masks that the arguments give: effective, permitted, inheritable.
#define _GNU_SOURCE
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HALF_BITS = 32 };

int main(int count, char **arguments) {
    if (count < 4) return 2;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct halves[2];
    unsigned long long effective = strtoull(arguments[1], NULL, 0), permitted = strtoull(arguments[2], NULL, 0),
                       inheritable = strtoull(arguments[3], NULL, 0);
    for (int i = 0; i < 2; i++) {
        halves[i].effective = effective >> i * HALF_BITS;
        halves[i].permitted = permitted >> i * HALF_BITS;
        halves[i].inheritable = inheritable >> i * HALF_BITS;
    }
    syscall(SYS_capset, &head, halves);
    return 0;
}
