// A stage as a NATS service: what it answers is found, described and counted by `nats micro`, and by our command line.
import { type Service, Svcm } from "@nats-io/services";
import type { Msg, NatsConnection, SubscriptionOptions } from "@nats-io/transport-node";
import { type StageName, serviceName } from "./streams.ts";
import { SENSOR_VERSION } from "./version.ts";

const INBOXES = "_INBOX.";
/** Each question is for every stage that answers it: none is one of several that share the work. */
const NO_QUEUE = "";

export interface ServiceOptions {
  name: StageName;
  /** The stage's, new with each start. */
  instance: string;
  /** What `nats micro stats` shows beside its own counts of the questions on a subject. */
  figures: (subject: string) => object | undefined;
  /** Ends the process: an answer has a bug, which the library would only tell the one who asked. */
  crash: (error: unknown) => void;
}

export class StageService {
  readonly #service: Service;
  readonly #crash: ServiceOptions["crash"];

  private constructor(service: Service, crash: ServiceOptions["crash"]) {
    this.#service = service;
    this.#crash = crash;
  }

  /** Answers `nats micro` on `connection` for as long as that lasts. */
  static async open(connection: NatsConnection, options: ServiceOptions): Promise<StageService> {
    const { name, instance, figures, crash } = options;
    const service = await new Svcm(answeringInboxesOnly(connection)).add({
      name: serviceName(name),
      version: SENSOR_VERSION,
      description: `The stage ${name} of the runtime security sensor Nightjar`,
      metadata: { instance, pid: String(process.pid) },
      queue: NO_QUEUE,
      statsHandler: async ({ subject }) => figures(subject),
    });
    return new StageService(service, crash);
  }

  /** Gives each question on `subject` to `answer`; its `reply` is an inbox. The endpoint is called by its last word. */
  add(subject: string, answer: (question: Msg) => void): void {
    const name = subject.slice(subject.lastIndexOf(".") + 1);
    const handler = (error: Error | null, question: Msg) => {
      if (error) return;
      try {
        answer(question);
      } catch (bug) {
        this.#crash(bug);
      }
    };
    this.#service.addEndpoint(name, { subject, handler });
  }
}

/**
 * The connection, deaf to questions whose answer would not go to an inbox: whoever asks must not have it published to a
 * subject that means something.
 */
function answeringInboxesOnly(connection: NatsConnection): NatsConnection {
  const guarded: NatsConnection = Object.create(connection);
  guarded.subscribe = (subject: string, options: SubscriptionOptions = {}) =>
    connection.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error || message.reply?.startsWith(INBOXES)) options.callback?.(error, message);
      },
    });
  return guarded;
}
