// Tells a store on disk that cannot be read from one that another process has, or that the disk refuses.

/** Whether LevelDB, or what it gave back as JSON, could not be read: a bad disk, a power cut. */
export function isCorruption(error: unknown): boolean {
  if (error instanceof SyntaxError) return true;
  const codes = [error, error instanceof Error ? error.cause : undefined].map(
    (one) => (one as { code?: string })?.code,
  );
  return codes.includes("LEVEL_CORRUPTION");
}
