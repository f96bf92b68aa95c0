// What the sanitized addon is put through: everything its API offers, in good order and in bad, with real events.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { openProbe } from "@nightjar/native-probe";
import { BatchSchema, eventTypes } from "@nightjar/proto";

const CYCLES = 3;
const RING_BYTES_SMALL = 64 * 1024;
const DEEP = 110;

/** Makes events of many kinds: short and long texts, deep paths, failures, sockets, programs. */
async function deeds(folder: string): Promise<void> {
  let deep = folder;
  for (let depth = 0; depth < DEEP; depth++) {
    deep = join(deep, "d");
    mkdirSync(deep);
  }
  writeFileSync(join(deep, "x".repeat(250)), "");
  for (let count = 0; count < 3_000; count++) readFileSync("/etc/hostname");
  const args = Array.from({ length: 300 }, (_, index) => "a".repeat(index));
  // Without what is preloaded here.
  execFileSync("true", args, { env: { PATH: process.env.PATH } });
  const server = createServer((socket) => socket.end());
  await once(server.listen(join(folder, "socket")), "listening");
  await once(connect(join(folder, "socket")).resume(), "close");
  server.close();
}

for (let cycle = 0; cycle < CYCLES; cycle++) {
  const folder = mkdtempSync(join(tmpdir(), "nightjar-exercise-"));
  let events = 0;
  const probe = openProbe({
    ringBytes: cycle === 0 ? RING_BYTES_SMALL : RING_BYTES_SMALL << 6,
    onBatch: (bytes, _first, next) => {
      events += fromBinary(BatchSchema, bytes).events.length;
      probe.release(next);
    },
  });
  probe.setOwnProcesses([{ pid: process.pid, startTicks: 1n }]);
  await deeds(folder);
  probe.setWanted(eventTypes.map(({ id }) => id).filter((_, index) => index % 2 === 0));
  probe.setOwnProcesses([]);
  probe.ledger();
  probe.ringUsed();
  try {
    probe.release(12_345n);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  await probe.stop({ timeoutMs: 5_000 });
  probe.ledger();
  if (events === 0) throw new Error("no event came");
  rmSync(folder, { recursive: true });
  process.stdout.write(`cycle ${cycle}: ${events} events\n`);
}
