// Names whose values are secrets, a row each; a space in a row stands for nothing, "_", "-" or ".".

/** What a value must be like to be one: any, or nothing a person or a program would write as a word or a number. */
export type Likeness = "any" | "random";

export interface NameRow {
  ending: string;
  kind: string;
  like: Likeness;
  /** Stands by itself: behind letters it is the end of another word, as in "compass". */
  whole?: true;
}

const any = (kind: string, ...endings: string[]): NameRow[] =>
  endings.map((ending) => ({ ending, kind, like: "any" as const }));
const whole = (rows: NameRow[]): NameRow[] => rows.map((one) => ({ ...one, whole: true as const }));
const random = (kind: string, ...endings: string[]): NameRow[] =>
  endings.map((ending) => ({ ending, kind, like: "random" as const }));

export const nameRows: readonly NameRow[] = [
  ...any("password", "password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "userpassword"),
  ...any("password", "storepass", "keypass", "sshpass", "dbpass", "userpass", "adminpass", "rootpass", "smtppass"),
  // mysql reads MYSQL_PWD; connection strings of SQL Server have Pwd. The shell's PWD is a folder: see notSecretNames.
  ...whole(any("password", "pass", "pwd", "pw", "psk", "wpa passphrase", "redis auth", "rediscli auth")),
  ...random("secret", "secret", "token", "credential", "credentials", "secrets"),
  ...random("secret", "api key", "apikey", "secret key", "access key", "private key", "encryption key", "signing key"),
  ...random("secret", "auth key", "master key", "account key", "shared key", "storage key", "license key", "app key"),
  ...random("secret", "application key", "consumer key", "service key", "session key", "deploy key", "webhook key"),
  ...random("secret", "admin key", "client key", "crypt key", "hmac key", "key base", "write key", "subscription key"),
  ...random("secret", "session id", "sessionid", "phpsessid", "jsessionid", "connect sid", "csrf", "webhook url"),
  ...random("secret", "security token", "amz signature", "shared access signature", "auth token", "kms key material"),
  ...whole(random("secret", "auth", "sig", "bearer", "cookie", "sid", "otp", "hmac", "signature", "dsn")),
];

/** Names that end like one of the rows and hold no secret. */
export const notSecretNames: readonly RegExp[] = [
  // The shell's folders, POSIX.1 8.3.
  /^(?:OLD)?PWD$/,
  // Places in a list of results: nothing opens with them.
  /(?:next|page|continuation|sync|pagination|cancel|cancellation)[_.-]?token$/i,
  /(?:public|verify|check|no)[_.-]?(?:signature|sig|key)$/i,
];
