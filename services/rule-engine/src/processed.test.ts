// What was committed is known to the next life, also when the process is killed right behind it.
import { join } from "node:path";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { ProcessedRanges } from "./processed.ts";

const SOURCE = "00:01";
const MODULE = new URL("./processed.ts", import.meta.url).href;

test("ranges that touch are one, also after a restart", async (t) => {
  const folder = join(temporaryFolder(t), "processed");
  const first = await ProcessedRanges.open(folder);
  await Promise.all([0, 10, 20].map((start) => first.commit({ source: SOURCE, first: start, next: start + 10 })));
  t.is(first.ranges.count, 1);
  await first.close();
  const second = await ProcessedRanges.open(folder);
  t.true(second.has({ source: SOURCE, first: 0, next: 30 }));
  t.false(second.has({ source: SOURCE, first: 0, next: 31 }));
  t.false(second.has({ source: "00:02", first: 0, next: 1 }));
  await second.close();
});

test("what was said to be committed survives kill -9", async (t) => {
  const folder = join(temporaryFolder(t), "processed");
  const script = `
    import { ProcessedRanges } from "${MODULE}";
    const ranges = await ProcessedRanges.open("${folder}");
    for (let start = 0; ; start += 10) {
      await ranges.commit({ source: "${SOURCE}", first: start, next: start + 10 });
      console.log("committed " + (start + 10) + ".");
    }`;
  const writer = startProcess(t, process.execPath, ["--input-type=module", "-e", script]);
  await writer.line(/committed \d{4,}\./);
  writer.signal("SIGKILL");
  await writer.exited;
  const last = Number([...writer.stdout.matchAll(/committed (\d+)\./g)].at(-1)?.[1]);
  const read = await ProcessedRanges.open(folder);
  t.true(read.has({ source: SOURCE, first: 0, next: last }), `everything up to ${last}`);
  await read.close();
});
