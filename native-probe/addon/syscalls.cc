// The numbers that the calls have in the machine's 32-bit ABI; a file of its own, since headers name both ABIs alike.
#include "fields.h"
#include "kernel_maps.h"

#if defined(__x86_64__)
#include <asm/unistd_32.h>
#elif defined(__aarch64__)
#include "syscalls_arm.h"
#endif

#include "../gen/numbers.h"

namespace nightjar {
namespace {

constexpr int kForeignNumbers[] = {CALL_NUMBERS};

#if defined(__x86_64__)
// Wider successors of calls that i386 began with, and include/uapi/linux/net.h for socketcall.
constexpr NumberSpec kMoreNumbers[] = {
    {__NR_chown32, "chown"},
    {__NR_clock_adjtime64, "clock_adjtime"},
    {__NR_clock_settime64, "clock_settime"},
    {__NR_fchown32, "fchown"},
    {__NR_fcntl64, "fcntl"},
    {__NR_lchown32, "lchown"},
    {__NR_mmap2, "mmap"},
    {__NR_setfsgid32, "setfsgid"},
    {__NR_setfsuid32, "setfsuid"},
    {__NR_setgid32, "setgid"},
    {__NR_setregid32, "setregid"},
    {__NR_setresgid32, "setresgid"},
    {__NR_setresuid32, "setresuid"},
    {__NR_setreuid32, "setreuid"},
    {__NR_setgroups32, "setgroups"},
    {__NR_setuid32, "setuid"},
    {__NR_utimensat_time64, "utimensat"},
    {SOCKETCALL_FIRST + 1, "socket"},
    {SOCKETCALL_FIRST + 2, "bind"},
    {SOCKETCALL_FIRST + 3, "connect"},
    {SOCKETCALL_FIRST + 4, "listen"},
    {SOCKETCALL_FIRST + 5, "accept"},
    {SOCKETCALL_FIRST + 8, "socketpair"},
    {SOCKETCALL_FIRST + 9, "send"},
    {SOCKETCALL_FIRST + 10, "recv"},
    {SOCKETCALL_FIRST + 11, "sendto"},
    {SOCKETCALL_FIRST + 12, "recvfrom"},
    {SOCKETCALL_FIRST + 13, "shutdown"},
    {SOCKETCALL_FIRST + 14, "setsockopt"},
    {SOCKETCALL_FIRST + 15, "getsockopt"},
    {SOCKETCALL_FIRST + 16, "sendmsg"},
    {SOCKETCALL_FIRST + 17, "recvmsg"},
    {SOCKETCALL_FIRST + 18, "accept4"},
    {SOCKETCALL_FIRST + 19, "recvmmsg"},
    {SOCKETCALL_FIRST + 20, "sendmmsg"},
};
// timeval, timespec, msghdr, iovec, and an mmap whose arguments are in memory.
constexpr int kDifferingNumbers[] = {
    __NR_clock_settime,
    __NR_process_madvise,
    __NR_mmap,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_recvmmsg,
    __NR_recvmmsg_time64,
    __NR_recvmsg,
    __NR_sendmmsg,
    __NR_sendmsg,
    __NR_settimeofday,
    __NR_utimensat,
    __NR_utime,
    __NR_utimes,
    __NR_futimesat,
    SOCKETCALL_FIRST + 16,
    SOCKETCALL_FIRST + 17,
    SOCKETCALL_FIRST + 19,
    SOCKETCALL_FIRST + 20,
};
#elif defined(__aarch64__)
constexpr NumberSpec kMoreNumbers[] = {
    {NR_ARM_CLOCK_SETTIME64, "clock_settime"},
    {NR_ARM_MMAP2, "mmap"},
    {NR_ARM_UTIMENSAT_TIME64, "utimensat"},
};
constexpr int kDifferingNumbers[] = {
    __NR_clock_settime, __NR_process_madvise, __NR_process_vm_readv, __NR_process_vm_writev,
    __NR_recvmmsg,      __NR_recvmsg,         __NR_sendmmsg,         __NR_sendmsg,
    __NR_settimeofday,  __NR_utimensat,       __NR_utimes,           __NR_futimesat,
};
#endif

} // namespace

Table<int> foreign_numbers() {
    return {kForeignNumbers, sizeof(kForeignNumbers) / sizeof(kForeignNumbers[0])};
}

Table<NumberSpec> more_foreign_numbers() {
    return {kMoreNumbers, sizeof(kMoreNumbers) / sizeof(kMoreNumbers[0])};
}

Table<int> differing_foreign_numbers() {
    return {kDifferingNumbers, sizeof(kDifferingNumbers) / sizeof(kDifferingNumbers[0])};
}

} // namespace nightjar
