// Files are cut and stretched by path and by descriptor; the file and its new length are read back.
import { constants, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import { call } from "../support/call.ts";
import { kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["truncate", "exit"] as const;

const EINVAL = 22n;

kernelTest("by path and by descriptor, and what fails", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const path = join(temporaryFolder(t), "file");
  writeFileSync(path, "0123456789");
  const byPath = await call(t, watch, "truncate", ["truncate", path, 4]);
  t.is(byPath.result, 0n);
  t.is(statSync(path).size, 4);
  t.like(byPath.data, { sizeBytes: 4n, fd: -1 });
  t.deepEqual([text(byPath.data.absolute), text(byPath.data.requested)], [path, path]);
  const byDescriptor = await call(t, watch, "truncate", ["ftruncate", { open: path, flags: constants.O_RDWR }, 0]);
  t.is(byDescriptor.result, 0n);
  t.is(byDescriptor.data.sizeBytes, 0n);
  t.deepEqual([text(byDescriptor.data.absolute), text(byDescriptor.data.requested)], [path, ""]);
  t.is(text(byDescriptor.data.descriptor?.path ?? new Uint8Array()), path);
  const negative = await call(t, watch, "truncate", ["truncate", path, -1]);
  t.deepEqual([negative.result, negative.data.sizeBytes], [-EINVAL, -1n]);
});
