// What the tests are about: secrets of the real forms and what looks like some, made up anew, none of them written out.

/** Deterministic, so that a failure can be seen again: mulberry32. */
export function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
export const HEX = `${DIGITS}abcdef`;
const LETTERS = UPPER + LOWER;
export const ALNUM = LETTERS + DIGITS;
const BASE32 = `${UPPER}234567`;
const URL64 = `${ALNUM}-_`;
export const BASE64 = `${ALNUM}+/`;
const PASSWORD = `${ALNUM}!%*+.:^~#?`;

type Part = string | readonly [alphabet: string, count: number];

export class Maker {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = randomSource(seed);
  }

  of(alphabet: string, count: number): string {
    return Array.from({ length: count }, () => alphabet[Math.floor(this.random() * alphabet.length)]).join("");
  }

  /** Ends in a letter and holds a digit, as nearly every random text of that length does. */
  word(alphabet: string, count: number): string {
    const letters = alphabet.replace(/[^A-Za-z]/g, "");
    const digits = alphabet.replace(/[^0-9]/g, "");
    return `${this.of(alphabet, count - 2)}${this.of(digits === "" ? letters : digits, 1)}${this.of(letters, 1)}`;
  }

  build(parts: readonly Part[]): string {
    return parts.map((part) => (typeof part === "string" ? part : this.word(part[0], part[1]))).join("");
  }

  uuid(): string {
    return [8, 4, 4, 4, 12].map((count) => this.of(HEX, count)).join("-");
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }
}

const hex = (count: number): Part => [HEX, count];

/** Shapes as their owners publish them; heads in pieces, so that no scanner of a forge takes this file for a leak. */
export const tokenShapes: readonly (readonly [what: string, ...Part[]])[] = [
  ["AWS access key", "AK", "IA", [BASE32, 16]],
  ["AWS temporary access key", "AS", "IA", [BASE32, 16]],
  ["AWS session token", "IQoJ", "b3JpZ2lu", [BASE64, 300], "=="],
  ["Google API key", "AI", "za", [URL64, 35]],
  ["Google OAuth secret", "GOC", "SPX-", [URL64, 28]],
  ["Google access token", "ya", "29.", [URL64, 180]],
  ["Google refresh token", "1/", "/0", [URL64, 62]],
  ["DigitalOcean", "dop", "_v1_", hex(64)],
  ["Alibaba", "LT", "AI", [ALNUM, 20]],
  ["Tencent", "AK", "ID", [ALNUM, 32]],
  ["Fly", "fo", "1_", [URL64, 43]],
  ["Heroku", "HR", "KU-", "AA", [ALNUM, 58]],
  ["Netlify", "nf", "p_", [ALNUM, 36]],
  ["GitHub personal", "gh", "p_", [ALNUM, 36]],
  ["GitHub OAuth", "gh", "o_", [ALNUM, 36]],
  ["GitHub server", "gh", "s_", [ALNUM, 36]],
  ["GitHub refresh", "gh", "r_", [ALNUM, 76]],
  ["GitHub fine-grained", "github", "_pat_", [ALNUM, 22], "_", [ALNUM, 59]],
  ["GitLab personal", "gl", "pat-", [URL64, 20]],
  ["GitLab routable", "gl", "pat-", [URL64, 27], ".", "01.", [ALNUM, 9]],
  ["GitLab runner", "gl", "rt-", [URL64, 20]],
  ["GitLab deploy", "gl", "dt-", [URL64, 20]],
  ["Bitbucket", "AT", "BB", [ALNUM, 32]],
  ["Atlassian", "ATA", "TT3", [URL64, 180], "=", "ABCD1234"],
  ["npm", "np", "m_", [ALNUM, 36]],
  ["PyPI", "pypi-", "AgEIcHlwaS5vcmc", [URL64, 150]],
  ["RubyGems", "ruby", "gems_", hex(48)],
  ["crates.io", "ci", "o", [ALNUM, 32]],
  ["NuGet", "oy", "2", [LOWER + DIGITS, 43]],
  ["Docker Hub", "dckr", "_pat_", [URL64, 27]],
  ["Docker swarm", "SWM", "TKN-1-", [LOWER + DIGITS, 50], "-", [LOWER + DIGITS, 25]],
  ["JFrog", "AK", "Cp", [ALNUM, 69]],
  ["CircleCI", "CCI", "PAT_", [ALNUM, 22], "_", hex(40)],
  ["SonarQube", "sq", "p_", hex(40)],
  ["Sourcegraph", "sg", "p_", hex(40)],
  ["Pulumi", "pu", "l-", hex(40)],
  ["Octopus", "AP", "I-", [UPPER + DIGITS, 26]],
  ["Postman", "PM", "AK-", hex(24), "-", hex(34)],
  ["Slack bot", "xo", "xb-", "123456789012-1234567890123-", [ALNUM, 24]],
  ["Slack user", "xo", "xp-", "123456789012-123456789012-123456789012-", hex(32)],
  ["Slack app", "xa", "pp-", "1-A0123456789-1234567890123-", hex(64)],
  ["Slack webhook", "https://hooks.", "slack.com/services/", "T01234567/B01234567/", [ALNUM, 24]],
  ["Discord webhook", "https://discord.", "com/api/webhooks/", "123456789012345678/", [URL64, 68]],
  ["Discord bot", "M", [ALNUM, 23], ".", [URL64, 6], ".", [URL64, 30]],
  ["Telegram bot", "123456789", ":", "AA", [URL64, 33]],
  ["Stripe live", "sk", "_live_", [ALNUM, 24]],
  ["Stripe restricted", "rk", "_live_", [ALNUM, 99]],
  ["Stripe webhook", "wh", "sec_", [ALNUM, 32]],
  ["Square", "sq0", "atp-", [URL64, 22]],
  ["Facebook", "EA", "AG", [ALNUM, 150]],
  ["Shopify", "shp", "at_", hex(32)],
  ["Shippo", "shippo", "_live_", hex(40)],
  ["EasyPost", "EZ", "AK", [ALNUM, 54]],
  ["SendGrid", "S", "G.", [URL64, 22], ".", [URL64, 43]],
  ["Twilio", "S", "K", hex(32)],
  ["Mailgun", "ke", "y-", hex(32)],
  ["Mailchimp", hex(32), "-us", "12"],
  ["Brevo", "xkey", "sib-", hex(64), "-", [ALNUM, 16]],
  ["Airtable", "pa", "t", [ALNUM, 14], ".", hex(64)],
  ["Notion", "nt", "n_", [ALNUM, 46]],
  ["Linear", "lin", "_api_", [ALNUM, 40]],
  ["Figma", "fig", "d_", [URL64, 40]],
  ["Typeform", "tf", "p_", [ALNUM, 44], "_", [ALNUM, 14]],
  ["Frame.io", "fi", "o-u-", [URL64, 64]],
  ["Contentful", "CF", "PAT-", [URL64, 43]],
  ["Vault service", "hv", "s.", [URL64, 95]],
  ["Vault batch", "hv", "b.", [URL64, 160]],
  ["Vault old", "s", ".", [ALNUM, 24]],
  ["Grafana", "gl", "sa_", [ALNUM, 32], "_", hex(8)],
  ["New Relic", "NR", "AK-", [UPPER + DIGITS, 27]],
  ["Dynatrace", "dt0", "c01.", [BASE32, 24], ".", [BASE32, 64]],
  ["Sentry", "sn", "tryu_", hex(64)],
  ["Tailscale", "ts", "key-auth-", [ALNUM, 12], "-", [ALNUM, 32]],
  ["Doppler", "dp.", "pt.", [ALNUM, 43]],
  ["age", "AGE-SECRET", "-KEY-1", ["QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58]],
  ["Databricks", "da", "pi", hex(32)],
  ["PlanetScale", "pscale", "_tkn_", [URL64, 43]],
  ["Supabase", "sb", "p_", hex(40)],
  ["OpenShift", "sha", "256~", [URL64, 43]],
  ["OpenAI project", "sk-", "proj-", [URL64, 120]],
  ["OpenAI old", "sk-", [ALNUM, 20], "T3Blb", "kFJ", [ALNUM, 20]],
  ["Anthropic", "sk-", "ant-api03-", [URL64, 93], "AA"],
  ["Hugging Face", "h", "f_", [LETTERS, 34]],
  ["Replicate", "r", "8_", [ALNUM, 37]],
  ["Groq", "gs", "k_", [ALNUM, 52]],
  ["Perplexity", "pp", "lx-", [ALNUM, 48]],
  ["LangSmith", "lsv2", "_pt_", hex(32), "_", hex(10)],
  ["Azure client secret", [ALNUM, 3], "8", "Q~", [ALNUM, 34]],
  ["Terraform", [ALNUM, 14], ".atl", "asv1.", [URL64, 67]],
  ["JWT", "ey", "JhbGciOiJIUzI1NiJ9.", "ey", "J", [URL64, 60], ".", [URL64, 43]],
  ["JWE", "ey", "JhbGciOiJkaXIifQ..", [URL64, 16], ".", [URL64, 40], ".", [URL64, 22]],
  ["Yandex", "AQ", "VN", [URL64, 36]],
  ["Scaleway", "SC", "W", [UPPER + DIGITS, 17]],
  ["Render", "rn", "d_", [ALNUM, 32]],
  ["Cloudflare CA", "v1", ".0-", hex(24), "-", hex(146)],
  ["Bedrock", "AB", "SK", [BASE64, 120]],
  ["Buildkite", "bk", "ua_", hex(40)],
  ["ReadMe", "rd", "me_", [LOWER + DIGITS, 70]],
  ["Snyk", "snyk", "_uat.", "1a2b3c4d.", [URL64, 60]],
  ["Teams webhook", "https://x.webhook.", "office.com/webhookb2/", hex(36), "@", hex(36), "/IncomingWebhook/", hex(32)],
  ["Instagram", "IG", "QV", [URL64, 120]],
  ["Braintree", "access_token", "$production$", [LOWER + DIGITS, 16], "$", hex(32)],
  ["Flutterwave", "FLW", "SECK-", hex(32), "-X"],
  ["Plaid", "access-", "sandbox-", "12345678-1234-1234-1234-123456789abc"],
  ["Duffel", "duffel", "_live_", [URL64, 43]],
  ["Resend", "r", "e_", [ALNUM, 8], "_", [ALNUM, 24]],
  ["HubSpot", "pat", "-na1-", "12345678-1234-1234-1234-123456789abc"],
  ["Asana", "1", "/1234567890123456:", hex(32)],
  ["Dropbox", "s", "l.", [URL64, 140]],
  ["42", "s-s4", "t2ud-", hex(64)],
  ["Mapbox", "sk.", "eyJ", [URL64, 60], ".", [URL64, 22]],
  ["X", "AAAAAAAAAAA", "AAAAAAAAAAA", [ALNUM, 90]],
  ["Okta", "SS", "WS ", "00", [URL64, 40]],
  ["1Password account", "ops", "_eyJ", [URL64, 200]],
  ["1Password key", "A", "3-ABC123-", "ABCDEF-ABCDE-12345-ABCDE-FGHIJ"],
  ["Neon", "na", "pi_", [LOWER + DIGITS, 64]],
  ["Prefect", "pn", "u_", [ALNUM, 36]],
  ["LaunchDarkly", "sd", "k-", "12345678-1234-1234-1234-123456789abc"],
  ["Rancher", "tok", "en-", "ab12c:", [LOWER + DIGITS, 54]],
  ["OpenRouter", "sk-", "or-v1-", hex(64)],
  ["xAI", "xa", "i-", [ALNUM, 80]],
  ["Pinecone", "pc", "sk_", [ALNUM, 70]],
  ["Kerberoast", "$krb5", "tgs$", "23$*svc$CORP$x*$", hex(32), "$", hex(200)],
  ["MaxMind", [ALNUM, 6], "_", [ALNUM, 29], "_", "mmk"],
  ["Meta app", "123456789012345", "|", [URL64, 27]],
  ["Azure storage", [ALNUM, 76], "+", "ASt", [ALNUM, 6], "=="],
  ["NTLM", hex(32), ":", hex(32), ":::"],
  ["Slack rotated", "xoxe.", "xoxp-", "1-", [ALNUM, 150]],
  ["bcrypt hash", "$2", "b$", "12$", [ALNUM, 53]],
  ["sha512 hash", "$6", "$", [ALNUM, 16], "$", [ALNUM, 86]],
  ["yescrypt hash", "$y", "$j9T$", [ALNUM, 22], "$", [ALNUM, 43]],
  ["argon2 hash", "$argon", "2id$", "v=19$m=65536,t=3,p=4$", [ALNUM, 22], "$", [ALNUM, 43]],
];

/** Where tokens are seen; none of the names says that they are secret. */
const tokenPlaces = [(s: string) => s, (s: string) => `deploy.sh ${s} --verbose`, (s: string) => `{"field":"${s}"}`];

/** A text, and what must not be in it any more. */
export interface Sample {
  what: string;
  given: string;
  secrets: string[];
}

/** `%s` is where a password stands. */
const places: readonly string[] = [
  "PGPASSWORD=%s psql -h db",
  "export DB_PASSWORD='%s'",
  'MYSQL_PWD="%s" mysql shop',
  "REDISCLI_AUTH=%s redis-cli",
  "app --password=%s --port 80",
  "app --password %s --port 80",
  "app --db-passwd %s",
  "app -password %s",
  "app --api-key=%s",
  "app --client-secret %s",
  "app --auth-token=%s",
  "AWS_SECRET_ACCESS_KEY=%s aws s3 ls",
  "DJANGO_SECRET_KEY=%s",
  "SECRET_KEY_BASE=%s rails s",
  "AccountName=x;AccountKey=%s;EndpointSuffix=core.windows.net",
  "Server=db;User Id=sa;Password=%s;Database=shop",
  "Server=db;Uid=sa;Pwd=%s;",
  "jdbc:mysql://db/shop?user=root&password=%s",
  "postgres://app:%s@db:5432/shop",
  "redis://:%s@cache:6379/0",
  "amqps://u:%s@mq/vhost",
  "mongodb+srv://admin:%s@cluster.example.net/x",
  "https://bob:%s@r.example.com/v2/",
  "http://bob:%s@proxy:3128",
  "ftp://bob:%s@files/pub",
  'curl -H "Authorization: Bearer %s" https://api.example.com',
  'curl -H "X-Api-Key: %s" https://api.example.com',
  'curl -H "Authorization: Basic %s" https://api.example.com',
  'curl -H "Cookie: session=%s" https://api.example.com',
  "curl -u bob:%s https://api.example.com",
  "curl -ubob:%s https://api.example.com",
  "curl --user=bob:%s https://api.example.com",
  "curl -d client_secret=%s https://api.example.com/token",
  "curl https://api.example.com/x?access_token=%s&y=1",
  "curl https://example.blob.core.windows.net/c?sv=2020&sig=%s",
  '{"username":"bob","password":"%s"}',
  '{\\"username\\":\\"bob\\",\\"password\\":\\"%s\\"}',
  "{'api_key': '%s'}",
  "password: %s",
  "passphrase = %s",
  "//r.example.com/:_authToken=%s",
  '{"auths":{"r.example.com":{"auth":"%s"}}}',
  "mysql -u root -p%s shop",
  "mysqldump --all-databases -p%s",
  "mariadb-dump -u root -p%s",
  "sshpass -p %s ssh root@host",
  "sshpass -p%s ssh root@host",
  "docker login -u bob -p %s r.example.com",
  "podman login --password=%s r.example.com",
  "skopeo copy --src-creds bob:%s docker://a docker://b",
  "az login -u bob -p %s",
  "kubectl create secret generic db --from-literal=login=%s",
  "ldapsearch -x -D cn=admin -w %s",
  "smbclient //host/share -U bob%%s",
  "psexec.py corp/bob:%s@10.0.0.5",
  "secretsdump.py bob:%s@10.0.0.5",
  "nxc smb 10.0.0.5 -u bob -p %s",
  "hydra -l root -p %s ssh://10.0.0.5",
  "xfreerdp /u:bob /p:%s /v:10.0.0.5",
  "zip -P %s out.zip dir",
  "7z a -p%s out.7z dir",
  "rar a -hp%s out.rar dir",
  "openssl enc -aes-256-cbc -pass pass:%s -in a",
  "openssl rsa -passin pass:%s -in key.pem",
  "keytool -list -keystore a.jks -storepass %s",
  "ssh-keygen -t ed25519 -N %s -f key",
  "htpasswd -b users bob %s",
  "sqlcmd -S db -U sa -P %s",
  "mongosh --username bob -p %s",
  "sqlplus scott/%s@orcl",
  "redis-cli -a %s ping",
  "mosquitto_pub -u bob -P %s -t x",
  "ipmitool -I lanplus -U admin -P %s power off",
  "snmpwalk -v2c -c %s 10.0.0.5",
  "nmcli dev wifi connect home password %s",
  "rabbitmqctl add_user bob %s",
  "lftp -u bob,%s files.example.com",
  "plink -ssh bob@10.0.0.5 -pw %s",
  "vault login %s",
  "aws configure set aws_secret_access_key %s",
  "/usr/bin/mysql -uroot -p%s",
  "sudo -u postgres env PGPASSWORD=%s pg_dump shop",
  "sh -c 'mysql -p%s shop < dump.sql'",
  "winexe -U CORP/bob%%s //10.0.0.5 cmd",
  "wpa_passphrase home %s",
  "mc alias set minio http://10.0.0.5:9000 bob %s",
  "nsupdate -y hmac-sha256:key:%s",
  "mount -t cifs //h/s /mnt -o username=bob,password=%s",
  "terraform apply -var db_password=%s",
  "ansible-playbook site.yml -e ansible_become_pass=%s",
  "gpg --batch --passphrase %s -d x.gpg",
  "SSHPASS=%s sshpass -e ssh host",
  "BORG_PASSPHRASE=%s borg list",
  "TF_VAR_admin_password=%s",
];

const PASSWORD_CHARACTERS_MIN = 10;

/** More than 300. */
export function makeSecrets(seed: number): Sample[] {
  const maker = new Maker(seed);
  const samples: Sample[] = [];
  for (const [what, ...shape] of tokenShapes) {
    for (const place of tokenPlaces) {
      const secret = maker.build(shape).replace(/^https:\/\/(?:x\.)?|:::$|^SSWS /g, "");
      const given = place(what === "NTLM" ? `${secret}:::` : what === "Okta" ? `SSWS ${secret}` : secret);
      samples.push({ what, given, secrets: [secret] });
    }
  }
  for (const place of places) {
    for (const alphabet of [ALNUM, PASSWORD]) {
      const length = PASSWORD_CHARACTERS_MIN + Math.floor(maker.random() * 20);
      // A secret that begins with what is no part of it, as "~/" or a dash, is another test's.
      const secret = `${maker.of(LOWER, 1)}${maker.word(alphabet, length)}`;
      samples.push({ what: place, given: place.replace(/%s(?!.*%s)/, () => secret), secrets: [secret] });
    }
  }
  return [...samples, ...makeBlocks(maker), ...makeAddresses(maker)];
}

function makeBlocks(maker: Maker): Sample[] {
  return ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
    .concat("CERTIFICATE", "PGP PRIVATE KEY BLOCK")
    .flatMap((label) =>
      ["\n", "\\n", " "].map((newline) => {
        const lines = Array.from({ length: 6 }, () => maker.of(BASE64, 64));
        const given = [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join(newline);
        return { what: label, given: `KEY ${given} and more`, secrets: lines };
      }),
    );
}

function makeAddresses(maker: Maker): Sample[] {
  const names = ["jane.doe", "j_doe", "mary+news", "o'brien1", "x.y.z", "li", "Max.Mustermann"];
  return names.flatMap((name) =>
    ["sendmail -f %s", "mailto:%s?subject=x", "user=%s,", "https://x.example/a?mail=%s&b=1", "<%s>"].map((place) => {
      const host = `${maker.of(LOWER, 6)}.example.${maker.pick(["com", "org", "co", "de"])}`;
      const address = `${name.replace("'", "")}@${host}`;
      return { what: place, given: place.replace("%s", address), secrets: [address] };
    }),
  );
}

const lookalikeMakers: readonly (readonly [what: string, (maker: Maker) => string])[] = [
  ["git commit", (m) => `git checkout ${m.of(HEX, 40)}`],
  ["short commit", (m) => `git show ${m.of(HEX, 7)}`],
  ["git range", (m) => `git diff ${m.of(HEX, 12)}..${m.of(HEX, 12)}`],
  ["UUID", (m) => `mount UUID=${m.uuid()} /mnt`],
  ["UUID as path", (m) => `/dev/disk/by-uuid/${m.uuid()}`],
  ["machine id", (m) => `/var/log/journal/${m.of(HEX, 32)}/system.journal`],
  ["image in base64", (m) => `data:image/png;base64,iVBORw0KGgo${m.of(BASE64, 200)}=`],
  ["base64", (m) => `echo ${m.of(BASE64, 60)} | base64 -d`],
  ["version", (m) => `node-v${m.of(DIGITS, 2)}.${m.of(DIGITS, 1)}.${m.of(DIGITS, 2)}-linux-x64`],
  ["package with version", (m) => `npm install lodash@4.17.${m.of(DIGITS, 2)} @types/node@22.1.${m.of(DIGITS, 1)}`],
  ["container id", (m) => `runc --root /run/runc exec ${m.of(HEX, 64)} sh`],
  ["cgroup", (m) => `/system.slice/docker-${m.of(HEX, 64)}.scope`],
  ["image digest", (m) => `docker pull nginx@sha256:${m.of(HEX, 64)}`],
  [
    "pod",
    (m) => `kubectl logs web-${m.of("bcdfghjklmnpqrstvwxz2456789", 9)}-${m.of("bcdfghjklmnpqrstvwxz2456789", 5)}`,
  ],
  ["kubepods", (m) => `/kubepods.slice/kubepods-burstable-pod${m.uuid().replaceAll("-", "_")}.slice`],
  [
    "projected volume",
    (m) => `/var/lib/kubelet/pods/${m.uuid()}/volumes/kubernetes.io~projected/kube-api-access-x2k9p`,
  ],
  ["checksum", (m) => `${m.of(HEX, 64)}  file.tar.gz`],
  ["md5", (m) => `${m.of(HEX, 32)}  a.iso`],
  ["MAC", (m) => `ip link set eth0 address ${[1, 2, 3, 4, 5, 6].map(() => m.of(HEX, 2)).join(":")}`],
  ["IPv6", (m) => `ping6 2001:db8:${m.of(HEX, 4)}::${m.of(HEX, 4)}`],
  ["long number", (m) => `kill -0 ${m.of("123456789", 18)}`],
  ["time", (m) => `date -d @17${m.of(DIGITS, 8)}`],
  ["minified code", (m) => `!function(e,t){var ${m.of(LOWER, 1)}=t.password,o={token:n.token,key:"abc"};e(o)}`],
  ["code", (m) => `const password = getPassword(user${m.of(DIGITS, 1)}); if (!token) return;`],
  ["JSON without secrets", (m) => `{"id":"${m.uuid()}","key":"${m.of(LOWER, 6)}","tokens":${m.of("123456789", 4)}}`],
  ["file of a key", (m) => `ssh -i /home/u/.ssh/id_${m.of(LOWER, 4)} -o StrictHostKeyChecking=no root@10.0.0.5`],
  ["file of a password", (m) => `app --password-file /run/secrets/db${m.of(DIGITS, 2)} --token-file=/run/t`],
  ["variable", (m) => `app --password $DB_PASSWORD_${m.of(DIGITS, 1)} --token=\${TOKEN} -p \${PORT}`],
  ["tools that name secrets", (m) => `kubectl get secret db-password-${m.of(LOWER, 4)} -o yaml`],
  ["ports", (m) => `docker run -p ${m.of("12345", 4)}:80 -u 1000:1000 nginx`],
  ["mkdir -p", (m) => `mkdir -p /srv/${m.of(LOWER, 8)} && cp -p a b`],
  ["ssh port", (m) => `scp -P 22${m.of(DIGITS, 2)} file u@10.0.0.5:/tmp/${m.of(LOWER, 5)}`],
  ["host with user", (m) => `ssh root@db${m.of(DIGITS, 1)}.example.com uptime`],
  ["git remote", (m) => `git clone git@github.com:${m.of(LOWER, 6)}/${m.of(LOWER, 6)}.git`],
  ["unit", (m) => `systemctl restart getty@tty${m.of("123456", 1)}.service user@1000.service`],
  ["file with @", (m) => `cp icon${m.of(DIGITS, 1)}@2x.png /srv/www`],
  ["working directory", (m) => `PWD=/home/u/${m.of(LOWER, 6)} OLDPWD=/tmp SHLVL=1`],
  ["prose", (m) => `the password for job ${m.of(DIGITS, 3)} is not set; token expired; secret rotated`],
  ["prose with a colon", () => "wrong password: the account is locked"],
  ["URL with port", (m) => `curl https://api.example.com:8443/v1/${m.of(LOWER, 6)}?page=2&key=name`],
  ["build id", (m) => `/usr/lib/debug/.build-id/${m.of(HEX, 2)}/${m.of(HEX, 38)}.debug`],
  ["nix store", (m) => `/nix/store/${m.of("0123456789abcdfghijklmnpqrsvwxyz", 32)}-glibc-2.40/lib/libc.so.6`],
  ["temporary folder", (m) => `/tmp/tmp.${m.of(ALNUM, 10)}/x`],
  ["Java class", (m) => `java -cp a.jar com.example.auth.TokenProvider$${m.of(UPPER, 1)}Impl -Dkey=value`],
  ["PCI address", (m) => `0000:${m.of(HEX, 2)}:00.0 ${m.of(HEX, 4)}:${m.of(HEX, 4)}`],
  ["public key", (m) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${m.of(BASE64, 44)} u@host`],
  ["integrity", (m) => `integrity sha512-${m.of(BASE64, 86)}==`],
  ["etag", (m) => `If-None-Match: "${m.of(HEX, 32)}"`],
  ["trace id", (m) => `traceparent: 00-${m.of(HEX, 32)}-${m.of(HEX, 16)}-01`],
  ["flags with token words", (m) => `llama --max-tokens ${m.of("123456789", 4)} --tokenizer bpe --keys 5`],
  ["constants of an event", (m) => `(arguments=res=0 pid=${m.of("123456789", 4)} sig=19(SIGSTOP))`],
  ["key and value", (m) => `etcdctl get --prefix /registry/pods/${m.of(LOWER, 7)} --keys-only`],
];

const LOOKALIKES_OF_EACH = 8;

/** More than 300: what must come out as it went in. */
export function makeLookalikes(seed: number): { what: string; given: string }[] {
  const maker = new Maker(seed);
  return lookalikeMakers.flatMap(([what, make]) =>
    Array.from({ length: LOOKALIKES_OF_EACH }, () => ({ what, given: make(maker) })),
  );
}
