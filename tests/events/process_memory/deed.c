// Reads, writes or advises on a child's memory, as the first argument names; prints the child's number and the address.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

int main(int count, char **arguments) {
    if (count < 2) return 2;
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), here[8] = "written";
    memset(shared, 'x', PAGE);
    pid_t child = fork();
    if (child == 0) {
        pause();
        return 0;
    }
    struct iovec local = {here, sizeof(here)}, remote[2] = {{shared, sizeof(here)}, {shared + 8, 0}};
    printf("%d %lu", child, (unsigned long)shared);
    if (!strcmp(arguments[1], "read")) process_vm_readv(child, &local, 1, remote, 2, 0);
    if (!strcmp(arguments[1], "write")) process_vm_writev(child, &local, 1, remote, 1, 0);
    if (!strcmp(arguments[1], "refused")) process_vm_writev(child, &local, 1, NULL, 1, 0);
    if (!strcmp(arguments[1], "advise")) {
        int fd = syscall(SYS_pidfd_open, child, 0);
        remote[0].iov_len = PAGE;
        dup2(fd, 9);
        syscall(SYS_process_madvise, 9, remote, 1, MADV_COLD, 0);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}
