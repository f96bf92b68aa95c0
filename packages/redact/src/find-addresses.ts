// Finds e-mail addresses of people; not hosts that a program logs in to, packages with versions, units or files.
import type { Span } from "./span.ts";

const LOCAL_CHARACTERS_MAX = 64;
const LOCAL = /[A-Za-z0-9](?:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,62}[A-Za-z0-9_+-])?$/;
/** RFC 1035: labels of at most 63 characters; the last one is a word. */
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const LAST_LABEL = "[A-Za-z]{2,24}|xn--[A-Za-z0-9]{2,59}";
const DOMAIN = new RegExp(`(?:@|%40)((?:${LABEL}\\.){1,8}(${LAST_LABEL}))(?![A-Za-z0-9-])`, "y");

/** systemd.unit(5), and files that are named like an address: icon@2x.png. */
const NO_DOMAIN_ENDINGS = new Set(
  (
    "service socket device mount automount swap target path timer slice scope png jpg jpeg gif svg webp ico css js " +
    "mjs ts json html xml yaml yml so conf py sh md txt log gz tgz zip rpm deb jar local internal localdomain"
  ).split(" "),
);
/** Who logs in and is no person. */
const ACCOUNTS = new Set(
  (
    "root git admin administrator ubuntu debian centos fedora rocky ec2-user opc azureuser core vagrant pi user test " +
    "postgres mysql oracle hdfs spark airflow jenkins ansible deploy deployer www-data nginx apache nobody backup " +
    "gitlab gitea hg svn anonymous ftp guest svc service runner ci bot system daemon nagios zabbix"
  ).split(" "),
);

/** Adds to `spans` the addresses. */
export function findAddresses(text: string, spans: Span[]): void {
  const AT = /@|%40/g;
  for (let match = AT.exec(text); match; match = AT.exec(text)) {
    const at = match.index;
    DOMAIN.lastIndex = at;
    const domain = DOMAIN.exec(text);
    if (!domain) continue;
    const local = LOCAL.exec(text.slice(Math.max(0, at - LOCAL_CHARACTERS_MAX), at))?.[0];
    if (local === undefined) continue;
    const end = at + domain[0].length;
    // What follows "?", "=", "/" or "&" in a URL or an assignment is the name.
    const name = local.slice(
      Math.max(...["/", "=", "?", "&", "'", "`", "{", "|", "$"].map((one) => local.lastIndexOf(one))) + 1,
    );
    if (isPerson(name, (domain[2] as string).toLowerCase()) && !isRemotePath(text, end)) {
      spans.push({ start: at - name.length, end, kind: "email" });
    }
    AT.lastIndex = end;
  }
}

function isPerson(local: string, ending: string): boolean {
  return local !== "" && !NO_DOMAIN_ENDINGS.has(ending) && !ACCOUNTS.has(local.toLowerCase());
}

/** `jane@host.example.com:/path`, as scp, rsync and git write it. */
function isRemotePath(text: string, end: number): boolean {
  return /^:[\w~./-]/.test(text.slice(end, end + 2));
}
