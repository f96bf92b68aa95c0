// How the kernel programs are compiled, for whichever machine.

/** What clang is told, from the folder of the probe; `target` is a machine as bpf_tracing.h knows it. */
export function compilerArguments(target: string, objectPath: string): string[] {
  return [
    ...["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"],
    ...[`-D__TARGET_ARCH_${target}`, "-c", "bpf/nightjar.bpf.c", "-o", objectPath],
  ];
}
