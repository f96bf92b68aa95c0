// Puts a key into the process's own ring, looks for one, and revokes it; prints what the calls returned.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static long result_of(long result) {
    return result < 0 ? -errno : result;
}

// what the key is called
int main(int count, char **arguments) {
    if (count < 2) return 2;
    long added = result_of(syscall(SYS_add_key, "user", arguments[1], "secret", 6, KEY_SPEC_PROCESS_KEYRING));
    long found = result_of(syscall(SYS_request_key, "user", arguments[1], NULL, KEY_SPEC_THREAD_KEYRING));
    long revoked = result_of(syscall(SYS_keyctl, KEYCTL_REVOKE, added));
    printf("%ld %ld %ld", added, found, revoked);
    return 0;
}
