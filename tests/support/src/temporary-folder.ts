// A folder of a test's own, gone with the test.
import { mkdtempSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Teardown } from "./teardown.ts";

/** Makes an empty folder under the system's temporary one and returns its real path; removed when the test is over. */
export function temporaryFolder(test: Teardown): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightjar-test-")));
  // Processes of the test may still be writing their last files while they end.
  test.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return folder;
}
