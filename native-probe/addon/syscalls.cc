// The numbers that the calls have in the machine's 32-bit ABI; a file of its own, since headers name both ABIs alike.
#include "fields.h"

#if defined(__x86_64__)
#include <asm/unistd_32.h>
#elif defined(__aarch64__)
// arch/arm/tools/syscall.tbl; no header of arm64 has them.
#define __NR_open 5
#define __NR_creat 8
#define __NR_socket 281
#define __NR_bind 282
#define __NR_connect 283
#define __NR_listen 284
#define __NR_accept 285
#define __NR_socketpair 288
#define __NR_shutdown 293
#define __NR_setsockopt 294
#define __NR_openat 322
#define __NR_accept4 366
#define __NR_openat2 437
#endif

#include "../gen/numbers.h"

namespace nightjar {
namespace {

constexpr int kForeignNumbers[] = {CALL_NUMBERS};

} // namespace

Table<int> foreign_numbers() {
    return {kForeignNumbers, sizeof(kForeignNumbers) / sizeof(kForeignNumbers[0])};
}

} // namespace nightjar
