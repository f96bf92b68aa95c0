// `nightjar portal account …`: the service accounts with which sensors and operators call the portal.
import { durationFromMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type Account,
  AccountActionSchema,
  AccountSchema,
  AccountService,
  AccountType,
  AccountTypeSchema,
} from "@nightjar/proto";
import { Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import { callPortal, PORTAL_SETTINGS } from "../../connect/portal.ts";
import { enumWord, toPlain } from "../../show/plain.ts";
import { table } from "../../show/table.ts";
import { printable } from "../../show/text.ts";
import { readDuration } from "../../time.ts";

const TYPES = { sensor: AccountType.SENSOR, operator: AccountType.OPERATOR } as const;
const KEEP_DEFAULT = "24h";
const ACCOUNT_ARGUMENT = { name: "<account>", description: "its client id or name" };

/** Each makes one command; the order is that of the help. */
const COMMANDS = [createCommand, listCommand, rotateCommand, revokeCommand, auditCommand];

export function accountCommand(environment: Environment): Command {
  const account = new Command("account").description("Work with service accounts: who may call the portal.");
  for (const make of COMMANDS) account.addCommand(make(environment));
  return account;
}

function createCommand(environment: Environment): Command {
  return define<{ type: keyof typeof TYPES }>(environment, {
    name: "create",
    description: "Make a service account. Its secret is told now and never again.",
    arguments: [{ name: "<name>", description: "1 to 64 letters, digits, and . _ - in between" }],
    options: [
      new Option("--type <type>", "sensor: for hosts; operator: for people and programs that look after them")
        .choices(Object.keys(TYPES))
        .default("sensor"),
    ],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal account create fleet-eu", "nightjar portal account create ci --type operator --json"],
    action: async (context, { type }, [name = ""]) => {
      const made = await callPortal(context, AccountService, (accounts) =>
        accounts.createAccount({ name, type: TYPES[type] }),
      );
      tellSecret(context, made.account!, made.clientSecret);
      return "OK";
    },
  });
}

function listCommand(environment: Environment): Command {
  return define(environment, {
    name: "list",
    description: "List the service accounts, revoked ones too.",
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal account list --json"],
    action: async (context) => {
      const { accounts } = await callPortal(context, AccountService, (client) => client.listAccounts({}));
      const rows = accounts.map((one) => [
        one.id,
        printable(one.name),
        enumWord(AccountTypeSchema, one.type),
        textOf(one.createdAt),
        one.revokedAt ? `revoked ${textOf(one.revokedAt)}` : secretsOf(one),
      ]);
      for (const line of table([["CLIENT ID", "NAME", "TYPE", "CREATED", "SECRETS"], ...rows])) {
        context.output.line(line);
      }
      for (const one of accounts) context.output.json(toPlain(AccountSchema, one));
      return "OK";
    },
  });
}

function rotateCommand(environment: Environment): Command {
  return define<{ keep: string }>(environment, {
    name: "rotate",
    description: "Give an account another secret; the one before stays valid for a while.",
    arguments: [ACCOUNT_ARGUMENT],
    options: [
      new Option("--keep <duration>", "how long the secret before stays valid, such as 30m, 24h, 7d, or 0s").default(
        KEEP_DEFAULT,
      ),
    ],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal account rotate fleet-eu --keep 7d"],
    action: async (context, { keep }, [account = ""]) => {
      const keepMs = readDuration(keep);
      if (keepMs === undefined) {
        throw new CommandError("USAGE", `--keep: ${JSON.stringify(keep)} is not allowed; allowed is such as 30m or 7d`);
      }
      const made = await callPortal(context, AccountService, (accounts) =>
        accounts.rotateSecret({ account, keep: durationFromMs(keepMs) }),
      );
      tellSecret(context, made.account!, made.clientSecret);
      return "OK";
    },
  });
}

function revokeCommand(environment: Environment): Command {
  return define(environment, {
    name: "revoke",
    description: "Revoke an account: its secrets and the tokens it holds are no longer good, for ever.",
    arguments: [ACCOUNT_ARGUMENT],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal account revoke fleet-eu"],
    action: async (context, _options, [account = ""]) => {
      const done = await callPortal(context, AccountService, (accounts) => accounts.revokeAccount({ account }));
      context.output.line(`revoked: ${done.account!.name}`);
      context.output.json(toPlain(AccountSchema, done.account!));
      return "OK";
    },
  });
}

function auditCommand(environment: Environment): Command {
  return define(environment, {
    name: "audit",
    description: "List what was done with service accounts, by whom, the latest first.",
    settings: PORTAL_SETTINGS,
    examples: ["nightjar portal account audit"],
    action: async (context) => {
      const { actions } = await callPortal(context, AccountService, (client) => client.listAccountActions({}));
      const rows = actions.map((one) => [
        textOf(one.time),
        one.action,
        printable(one.accountName),
        `by ${one.actor}`,
        printable(one.detail),
      ]);
      for (const line of table([["TIME", "ACTION", "ACCOUNT", "BY", "DETAIL"], ...rows])) context.output.line(line);
      for (const one of actions) context.output.json(toPlain(AccountActionSchema, one));
      return "OK";
    },
  });
}

/** As lines for the environment of a sensor, since that is where they go. */
function tellSecret({ output }: Context, account: Account, clientSecret: string): void {
  output.line(`NIGHTJAR_API_CLIENT_ID=${account.id}`);
  output.line(`NIGHTJAR_API_CLIENT_SECRET=${clientSecret}`);
  output.note(`${account.name}: the secret is not told again; the portal keeps a hash of it`);
  output.json({ ...toPlain(AccountSchema, account), client_secret: clientSecret });
}

function secretsOf({ secrets }: Account): string {
  const ending = secrets.find(({ expiresAt }) => expiresAt)?.expiresAt;
  return ending ? `${secrets.length}, one until ${textOf(ending)}` : String(secrets.length);
}

function textOf(time: Timestamp | undefined): string {
  return time ? timestampDate(time).toISOString() : "";
}
