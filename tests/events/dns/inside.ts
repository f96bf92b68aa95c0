// Runs a command beside a small DNS server, inside network and mount namespaces of its own; prints the command's pid
// and what it printed. Takes a folder for a resolv.conf, and the command.
import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Answer, decode, encode, type Packet, streamDecode, streamEncode } from "dns-packet";

const PORT = 53;
const AUTHORITATIVE_ANSWER = 1 << 10;
const NAME_ERROR = 3;

const RECORDS: readonly Answer[] = [
  { type: "CNAME", name: "www.example.test", data: "host.example.test", ttl: 60 },
  { type: "A", name: "host.example.test", data: "192.0.2.7", ttl: 60 },
  { type: "AAAA", name: "host.example.test", data: "2001:db8::7", ttl: 60 },
  { type: "TXT", name: "text.example.test", data: "hello", ttl: 60 },
];

function answerTo(query: Packet): Packet {
  const [question] = query.questions ?? [];
  const known = RECORDS.filter(({ name }) => name.split(".", 1)[0] === question?.name.toLowerCase().split(".", 1)[0]);
  const isAlias = known.some(({ type }) => type === "CNAME");
  const found = isAlias ? [...known, ...RECORDS.filter(({ name }) => name.startsWith("host."))] : known;
  return {
    type: "response",
    ...(query.id !== undefined && { id: query.id }),
    flags: AUTHORITATIVE_ANSWER | (known.length > 0 ? 0 : NAME_ERROR),
    ...(query.questions && { questions: query.questions }),
    answers: found.filter(({ type }) => type === question?.type || type === "CNAME"),
  };
}

async function serve(address: string): Promise<void> {
  const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
  udp.on("message", (message, { port, address: from }) => udp.send(encode(answerTo(decode(message))), port, from));
  udp.bind(PORT, address);
  await once(udp, "listening");
  const tcp = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => socket.write(streamEncode(answerTo(streamDecode(data)))));
  }).listen(PORT, address);
  await once(tcp, "listening");
}

const [folder = "", command = "", ...args] = process.argv.slice(2);
spawnSync("ip", ["link", "set", "lo", "up"], { stdio: "inherit" });
const resolvConf = join(folder, "resolv.conf");
writeFileSync(resolvConf, "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n");
spawnSync("mount", ["--bind", resolvConf, "/etc/resolv.conf"], { stdio: "inherit" });
await serve("127.0.0.1");
await serve("::1");
const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
let printed = "";
child.stdout.on("data", (data: Buffer) => {
  printed += data.toString();
});
const [code] = await once(child, "close");
process.stdout.write(JSON.stringify({ pid: child.pid, code, printed }));
process.exit(0);
