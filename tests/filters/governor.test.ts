// What the governor gives up is not told and is counted apart from what nobody wants. Tried on the real probe.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { GOVERNED, GOVERNED_READS_PER_S } from "@nightjar/native-probe";
import { EVERY_CLASS, type TypeInterest, TypeInterestSchema, wholeType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { compileDeed, type Deed } from "../events/support/deed.ts";
import {
  balances,
  idsOf,
  kernelTest,
  type Seen,
  type TypeName,
  text,
  type Watch,
  watchKernel,
} from "../events/support/kernel.ts";

const idOf = (name: TypeName) => idsOf([name])[0] as number;
const [OPEN, CONNECT, FIRST_WRITE] = [idOf("open"), idOf("connect"), idOf("firstWrite")];
const READ = "0";
/** O_WRONLY | O_CREAT */
const WRITE = "0101";
const IPV4 = "2";

class Trial {
  readonly watch: Watch;
  readonly folder: string;
  readonly #deed: Deed;

  constructor(t: ExecutionContext, types: readonly TypeName[], interests: readonly TypeInterest[] = []) {
    this.watch = watchKernel(t, { types: [...types, "exit"] });
    this.folder = temporaryFolder(t);
    this.watch.probe.setSensitivePaths([`${this.folder}/sensitive/`, "authorized_keys"]);
    const wanted = new Map(idsOf([...types, "exit"]).map((id) => [id, wholeType(id)]));
    for (const interest of interests) wanted.set(interest.eventType, interest);
    this.watch.probe.setInterest(wanted);
    this.#deed = compileDeed(t, import.meta.dirname);
  }

  async do(lines: readonly string[][]): Promise<number> {
    const script = join(this.folder, "script");
    writeFileSync(script, `${lines.map((words) => words.join("\t")).join("\n")}\n`);
    const { pid } = this.#deed.do([script]);
    await this.watch.ended(pid);
    return pid;
  }

  /** Names of files that a process opened in the trial's folder, as they were told. */
  opened(pid: number): string[] {
    const ours = (event: Seen<"open">) => event.pid === pid && text(event.data.path).startsWith(this.folder);
    return this.watch.of("open", ours).map(({ data }) => text(data.path).slice(this.folder.length + 1));
  }
}

kernelTest("reads are given up, writes go on, and each that is not told is counted", async (t) => {
  const trial = new Trial(t, ["open"]);
  const file = join(trial.folder, "file");
  const deeds = [
    ["open", file, WRITE, "-"],
    ["open", file, READ, "-"],
  ];
  const before = await trial.do(deeds);
  t.deepEqual(trial.opened(before).sort(), ["file", "file", "script"]);
  trial.watch.probe.setGoverned(new Map([[OPEN, GOVERNED.READS]]));
  t.deepEqual(trial.opened(await trial.do(deeds)), ["file"], "the write");
  const { governed } = trial.watch.ledger("open");
  t.true(governed >= 2n, "the script and the file");
  t.true(balances(trial.watch.ledger("open")), trial.watch.explain());

  trial.watch.probe.setGoverned(new Map());
  t.is(trial.opened(await trial.do(deeds)).length, 3, "all is told again");
});

kernelTest("a program that opens much is sampled, one that opens little is not", async (t) => {
  const trial = new Trial(t, ["open"]);
  trial.watch.probe.setGoverned(new Map([[OPEN, GOVERNED.NOISY_READS]]));
  const file = join(trial.folder, "file");
  writeFileSync(file, "");
  const times = (count: number) => new Array(count).fill(["open", file, READ, "-"]);
  t.is(trial.opened(await trial.do(times(5))).length, 6, "and the script");
  const many = GOVERNED_READS_PER_S * 40;
  const told = trial.opened(await trial.do(times(many))).length;
  // It may run for some seconds, each of which begins anew.
  t.true(told >= GOVERNED_READS_PER_S / 2 && told < many / 2, `${told} of ${many}`);
  t.true(balances(trial.watch.ledger("open")), trial.watch.explain());
});

kernelTest("of writes those at sensitive paths are told to the last", async (t) => {
  const trial = new Trial(t, ["open", "firstWrite"]);
  mkdirSync(join(trial.folder, "sensitive"));
  trial.watch.probe.setGoverned(
    new Map([
      [OPEN, GOVERNED.READS | GOVERNED.ELSEWHERE],
      [FIRST_WRITE, GOVERNED.ELSEWHERE],
    ]),
  );
  const names = ["sensitive/one", "authorized_keys", "other", "sensitive_not"];
  const pid = await trial.do(names.map((name) => ["open", join(trial.folder, name), WRITE, "-"]));
  t.deepEqual(trial.opened(pid), ["sensitive/one", "authorized_keys"]);
  const written = trial.watch.of("firstWrite", (event) => event.pid === pid);
  t.deepEqual(
    written.map(({ data }) => text(data.descriptor?.path ?? new Uint8Array()).slice(trial.folder.length + 1)),
    ["sensitive/one", "authorized_keys"],
  );
  for (const name of ["open", "firstWrite"] as const) t.true(balances(trial.watch.ledger(name)), trial.watch.explain());
});

kernelTest("connects that only folding wants are given up, those of a rule are not", async (t) => {
  const types = { eventType: CONNECT, folded: EVERY_CLASS, remotePorts: [{ classes: EVERY_CLASS, port: 53 }] };
  const trial = new Trial(t, ["connect"], [create(TypeInterestSchema, types)]);
  trial.watch.probe.setGoverned(new Map([[CONNECT, GOVERNED.FOLDED]]));
  const pid = await trial.do(["9", "53"].map((port) => ["connect", IPV4, port]));
  const ports = trial.watch.of("connect", (event) => event.pid === pid).map(({ data }) => data.remote?.port);
  t.deepEqual(ports, [53]);
  t.true(trial.watch.ledger("connect").governed >= 1n);
  t.true(balances(trial.watch.ledger("connect")), trial.watch.explain());
});

kernelTest("a type is given up whole, and others are not", async (t) => {
  const trial = new Trial(t, ["open", "connect", "exec", "socket"]);
  const everything = idsOf(["open", "connect"]).map((id) => [id, GOVERNED.WANTED] as const);
  trial.watch.probe.setGoverned(new Map([...everything, [idOf("socket"), GOVERNED.ALL]]));
  const pid = await trial.do([
    ["open", join(trial.folder, "file"), WRITE, "-"],
    ["connect", IPV4, "9"],
  ]);
  const told = trial.watch.events.filter((event) => event.pid === pid).map(({ data }) => data.case);
  t.deepEqual(told, ["exec", "exit"]);
  for (const name of ["open", "connect", "socket"] as const) {
    t.true(trial.watch.ledger(name).governed > 0n, name);
    t.true(balances(trial.watch.ledger(name)), trial.watch.explain());
  }
});
