// `nightjar portal content keygen`: makes the pair of keys that content is signed and known by.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { makeKeyPair } from "@nightjar/content";
import { contentKeyFile } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../../command.ts";
import type { ExitName } from "../../../exit-codes.ts";
import { signingKeyFile } from "./signing-key.ts";

const PRIVATE_FILE_MODE = 0o600;
const PUBLIC_FILE_MODE = 0o644;
const FOLDER_MODE = 0o700;

export function keygenCommand(environment: Environment): Command {
  return define<{ out?: string }>(environment, {
    name: "keygen",
    description:
      "Make a key to sign content with. Without --out both halves lie in the state folder, and this sensor takes " +
      "what is signed with it. For a fleet keep the private half off the portal and off the sensors, and put the " +
      "public one on each sensor (content.public_key_file). A key that is there is never written over.",
    options: [new Option("--out <file>", "the private half; the public one is beside it, with .pub behind its name")],
    settings: ["content.public_key_file"],
    examples: [
      "nightjar portal content keygen",
      "nightjar portal content keygen --out /media/usb/nightjar-content.pem",
    ],
    action: async (context, { out }) => keygen(context, out),
  });
}

function keygen(context: Context, out: string | undefined): ExitName {
  const { stateDir, settings, output } = context;
  const privateFile = out === undefined ? signingKeyFile(stateDir) : resolve(out);
  const publicFile = out === undefined ? contentKeyFile(stateDir, settings) : `${privateFile}.pub`;
  const { privateKey, publicKey } = makeKeyPair();
  writeNew(privateFile, privateKey, PRIVATE_FILE_MODE);
  writeNew(publicFile, publicKey, PUBLIC_FILE_MODE);
  output.line(`private: ${privateFile} (keep it where you sign, and nowhere else)`);
  output.line(`public:  ${publicFile} (each sensor that is to take the content needs it)`);
  output.json({ private_key_file: privateFile, public_key_file: publicFile });
  return "OK";
}

function writeNew(file: string, text: string, mode: number): void {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
  try {
    writeFileSync(file, text, { mode, flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? `${file} is there already; move it away to make another` : message;
    throw new CommandError("FAILED", why);
  }
}
