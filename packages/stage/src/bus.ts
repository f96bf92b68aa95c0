// The bus as a stage sees it: publish until stored, consume in order, ask and be asked.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { AttachRequestSchema, AttachResponseSchema, type StageStatus, StageStatusSchema } from "@nightjar/proto";
import { connectBus, connectOnce, pause, watchAddress } from "./connection.ts";
import { type MessageHandler, StreamConsumer } from "./consumer.ts";
import { GarbageStore } from "./garbage.ts";
import { readToEnd } from "./log-reader.ts";
import { Publisher } from "./publisher.ts";
import { StageService } from "./service.ts";
import type { Stage } from "./stage.ts";
import { readSmallFile, statePaths } from "./state-folder.ts";
import { ASK_ATTACH_SUBJECT, ASK_STATUS_SUBJECT, type StreamName, stageNames, streamOf } from "./streams.ts";

const ATTACH_TIMEOUT_MS = 3_000;
const ATTACH_RETRY_MS = 100;
const STATUS_WAIT_MS = 1_000;
const VALUES_RETRY_MS = 500;
const LOG_RETRY_MS = 100;

/** Called with a message: its bytes and its subject. */
type SubjectHandler = (bytes: Uint8Array, subject: string) => void;

/** What the bus has its stage do. */
export interface BusEnds {
  /** A bug. */
  crash: (error: unknown) => void;
  /** The bus has another address. */
  moved: () => void;
  /** A message that had crashed the stage is out of the way. */
  cured: () => void;
}

export class Bus {
  readonly #stage: Stage;
  readonly #ends: BusEnds;
  readonly #publishers = new Map<StreamName, Publisher>();
  readonly #consumers: StreamConsumer[] = [];
  readonly #reads: Promise<void>[] = [];
  readonly #followed: { stream: StreamName; handle: SubjectHandler }[] = [];
  #connection: NatsConnection | undefined;
  #service: StageService | undefined;
  #keepS = 0;

  constructor(stage: Stage, ends: BusEnds) {
    this.#stage = stage;
    this.#ends = ends;
  }

  /** Connects as soon as the bus is there and answers for this stage from then on. */
  async connect(): Promise<void> {
    const { stateDir, name, signal, log } = this.#stage;
    await this.use(await connectBus({ stateDir, name, signal, log }));
    const address = readSmallFile(statePaths.busAddress(stateDir));
    if (address) watchAddress(stateDir, address, signal, this.#ends.moved);
  }

  /** The bus's own way: it knows the address and the key before anyone else, and follows its server by itself. */
  async connectTo(address: string, seed: Uint8Array): Promise<void> {
    await this.use(await connectOnce(address, seed, this.#stage.name));
  }

  /** The connection itself; a bug to ask for before `connect`. */
  get connection(): NatsConnection {
    if (!this.#connection) throw new Error("the stage is not connected to the bus");
    return this.#connection;
  }

  get jetstream(): JetStreamClient {
    return jetstream(this.connection);
  }

  /** Takes over an open connection: answers questions for the status and follows the connection's state. */
  async use(connection: NatsConnection): Promise<void> {
    const { name, instance } = this.#stage;
    this.#connection = connection;
    this.#service = await StageService.open(connection, {
      name,
      instance,
      figures: (subject) => (subject === ASK_STATUS_SUBJECT ? figuresOf(this.#stage) : undefined),
      crash: this.#ends.crash,
    });
    this.#ask(ASK_STATUS_SUBJECT, (question) => void question.respond(this.#stage.status()));
    void this.#follow(connection);
  }

  /**
   * Answers each question on `subject` with some messages and an empty one behind them. Questions are answered one at a
   * time and at once: `answer` may rely on nothing happening meanwhile.
   */
  answer(subject: string, answer: () => Iterable<Uint8Array>): void {
    this.#ask(subject, (question) => {
      for (const bytes of answer()) question.respond(bytes);
      question.respond();
    });
  }

  /**
   * Answers each question on `subject` with some messages and an empty one behind them, each when it is made; several
   * questions may be under way. `answer` must not reject.
   */
  answerSlowly(subject: string, answer: (question: Uint8Array) => AsyncIterable<Uint8Array>): void {
    const respond = async (message: Msg) => {
      for await (const bytes of answer(message.data)) message.respond(bytes);
      message.respond();
    };
    this.#ask(subject, (question) => void respond(question).catch(this.#ends.crash));
  }

  /** Asks on `subject` and gives the messages of the answer as they come, without the empty one behind them. */
  async *askSlowly(subject: string, question: Uint8Array, waitMs: number): AsyncGenerator<Uint8Array> {
    const answers = await this.connection.requestMany(subject, question, { strategy: "sentinel", maxWait: waitMs });
    for await (const { data } of answers) if (data.length > 0) yield data;
  }

  /** Answers each question on `subject` with one message, in whatever order `answer` resolves; it must not reject. */
  serve(subject: string, answer: (question: Uint8Array) => Promise<Uint8Array>): void {
    this.#ask(subject, (question) => {
      answer(question.data).then((bytes) => question.respond(bytes), this.#ends.crash);
    });
  }

  /**
   * Resolves when the stream has stored the message; tries again until then. `messageId` must be the same for the same
   * contents: it is how a copy is recognised.
   */
  publish(stream: StreamName, subject: string, bytes: Uint8Array, messageId: string): Promise<void> {
    let publisher = this.#publishers.get(stream);
    if (!publisher) {
      publisher = new Publisher(this.jetstream, this.#stage);
      this.#publishers.set(stream, publisher);
    }
    return publisher.publish(subject, bytes, messageId);
  }

  /** Gives every message of a work queue to `handle`, in order, until the stage stops. */
  consume(stream: StreamName, handle: MessageHandler, options: { inFlightMax: number }): void {
    const stage = this.#stage;
    const consumer = new StreamConsumer({
      js: this.jetstream,
      stream,
      durable: stage.name,
      handle,
      inFlightMax: options.inFlightMax,
      attach: () => this.#attach(),
      progress: stage.progress,
      signal: stage.signal,
      log: stage.log,
      health: stage.health,
      counters: stage.counters,
      garbage: new GarbageStore(stage.folder),
      crash: this.#ends.crash,
      cured: this.#ends.cured,
    });
    this.#consumers.push(consumer);
    this.#reads.push(consumer.run());
  }

  /**
   * Reads a log from its beginning to where it ends now; resolves with its messages, in order. `keepS` is how long it
   * is to keep what is written to it, in seconds, from now on; call this before `consume`.
   */
  async readLog(stream: StreamName, keepS: number): Promise<Uint8Array[]> {
    this.#keepS = keepS;
    const { name, signal, log } = this.#stage;
    for (;;) {
      try {
        await this.#attach();
        return await readToEnd(this.jetstream, stream, name);
      } catch (error) {
        log.debug("cannot read the log, trying again", { stream, error: error as Error });
      }
      await pause(LOG_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }

  /** Has the logs this stage reads keep for so long what is written to them, in seconds, where that is longer. */
  async keepLogs(keepS: number): Promise<void> {
    if (keepS <= this.#keepS) return;
    this.#keepS = keepS;
    await this.#attach();
  }

  /** Gives the last value of each subject of a stream to `handle`, then each new one, until the stage stops. */
  follow(stream: StreamName, handle: SubjectHandler): void {
    this.#followed.push({ stream, handle });
    // A subscription sees each new value; what was there before is asked for, again after each reconnection.
    for (const subject of streamOf(stream).subjects) this.listen(subject, handle);
    this.#reads.push(this.#lastValues(stream, handle));
  }

  /** Gives each message of a subject that no stream keeps to `handle`, until the stage stops. */
  listen(subject: string, handle: SubjectHandler): void {
    this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (!error) handle(message.data, message.subject);
      },
    });
  }

  /** Asks all stages how they are; those that do not answer in time are missing from the result. */
  askStatuses(waitMs = STATUS_WAIT_MS): Promise<StageStatus[]> {
    return askStatuses(this.connection, waitMs);
  }

  /** Waits for what is being handled, then closes the connection. */
  async close(): Promise<void> {
    await Promise.all(this.#reads);
    await this.#connection?.close();
  }

  #ask(subject: string, answer: (question: Msg) => void): void {
    if (!this.#service) throw new Error("the stage is not connected to the bus");
    this.#service.add(subject, answer);
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      // The client drops what was sent while it was away, so that is given up when it is back, too.
      if (type === "disconnect" || type === "reconnect") {
        for (const publisher of this.#publishers.values()) publisher.disconnected();
      }
      if (type !== "reconnect") continue;
      for (const consumer of this.#consumers) consumer.restart();
      for (const { stream, handle } of this.#followed) void this.#lastValues(stream, handle);
    }
  }

  async #attach(): Promise<void> {
    const { name, instance, signal, log } = this.#stage;
    const asked = { stage: name, instance, keepS: this.#keepS };
    const request = toBinary(AttachRequestSchema, create(AttachRequestSchema, asked));
    for (;;) {
      try {
        const answer = await this.connection.request(ASK_ATTACH_SUBJECT, request, { timeout: ATTACH_TIMEOUT_MS });
        const { error } = fromBinary(AttachResponseSchema, answer.data);
        if (error === "") return;
        log.warn("the bus could not make the consumer anew", { error });
      } catch (error) {
        log.debug("the bus does not answer yet", { error: error as Error });
      }
      await pause(ATTACH_RETRY_MS, signal);
      signal.throwIfAborted();
    }
  }

  async #lastValues(stream: StreamName, handle: SubjectHandler): Promise<void> {
    const { subjects, writers } = streamOf(stream);
    for (const subject of subjects) {
      for (const writer of writers) await this.#lastValue(stream, subject.replace("*", writer), handle);
    }
  }

  async #lastValue(stream: StreamName, subject: string, handle: SubjectHandler): Promise<void> {
    const { signal, log } = this.#stage;
    while (!signal.aborted) {
      try {
        const manager = await this.jetstream.jetstreamManager(false);
        const last = await manager.direct.getMessage(stream, { last_by_subj: subject });
        return last ? handle(last.data, subject) : undefined;
      } catch (error) {
        log.debug("cannot read the last value yet", { stream, subject, error: error as Error });
      }
      await pause(VALUES_RETRY_MS, signal);
    }
  }
}

/** What `nats micro stats` shows of a stage. */
function figuresOf(stage: Stage): object {
  const { ready, summary, healthIssues, counters } = fromBinary(StageStatusSchema, stage.status());
  const health = healthIssues.map(({ code }) => code);
  const counts = Object.entries(counters).map(([name, value]) => [name, Number(value)]);
  return { ready, summary, health, counters: Object.fromEntries(counts) };
}

/** Asks all stages on `connection` for their status; returns as soon as all have answered, or after `waitMs`. */
export async function askStatuses(connection: NatsConnection, waitMs = STATUS_WAIT_MS): Promise<StageStatus[]> {
  const answers: StageStatus[] = [];
  try {
    const replies = await connection.requestMany(ASK_STATUS_SUBJECT, new Uint8Array(0), {
      strategy: "count",
      maxMessages: stageNames.length,
      maxWait: waitMs,
    });
    for await (const reply of replies) answers.push(fromBinary(StageStatusSchema, reply.data));
  } catch (error) {
    // The server says at once that nobody listens, which is an answer too.
    if (!isNoResponders(error)) throw error;
  }
  return answers;
}

function isNoResponders(error: unknown): boolean {
  return error instanceof errors.NoRespondersError || (error as Error).cause instanceof errors.NoRespondersError;
}
