// Values that stand where a secret would and are none: variables, places of files, words of configuration, code.

const WORDS = new Set(
  (
    "true false yes no on off none null nil undefined nan prompt ask stdin env file default required optional empty " +
    "unset disabled enabled string text boolean password token secret basic bearer plain md5 login trust peer any"
  ).split(" "),
);

/** Where files are: a secret in base64 may begin with "/" and have more of them, but not with one of these folders. */
const TOP_FOLDERS =
  "app|apps|bin|boot|certs?|config|data|dev|etc|home|keys|lib\\w{0,3}|media|mnt|opt|proc|root|run|sbin|secrets?|snap|" +
  "srv|sys|tmp|Users|usr|var|vault|workspace";

const patterns: readonly RegExp[] = [
  // A variable, a template's hole, another command's output.
  /^(?:\$[A-Za-z_]\w{0,100}|\$\{[^{}]{0,200}\}|\$\([^()]{0,200}\)|\{\{[^{}]{0,200}\}\}|%\w{1,40}%|<[^<>]{1,100}>)$/,
  /^%[-+ #0-9.]{0,8}[a-z]$/,
  // A constant of the kernel's as events show it, by number and name; a text's last bracket is not taken for its own.
  /^-?\d{1,10}\([A-Z][A-Za-z0-9_|]{0,200}\)?$/,
  // What was masked before.
  /^(?:[*•xX#.]{3,64}|<?redacted>?|\[(?:redacted|masked|hidden|filtered)\])$/i,
  new RegExp(`^@?(?:~|\\.{1,2}|/(?:${TOP_FOLDERS}))(?:/[\\w.@+~-]{0,255}){1,64}$`),
  /^(?:file|env|fd|stdin|path):[\w./@~-]{0,300}$/i,
  /^file:\/\//i,
];

/** Code: a call, or a member that is named like what it is for. */
const CALL = /^[A-Za-z_$][\w$.]{0,100}\([^()\s]{0,200}\)?/;
const MEMBER = /^[A-Za-z_$][\w$]{0,60}(?:\.[A-Za-z_$][\w$]{0,60}){1,6}$/;
const NAMED = /(?:pass\w*|pwd|token|secret|key|value|auth|sig|data|env\.\w+)$/i;

const RANDOM_CHARACTERS_MIN = 8;
/** One word of more letters is none of a language. */
const WORD_LETTERS_MAX = 20;
/** What is longer is not taken for words, whatever it says; it bounds what looking costs. */
const LONGEST_WORDS_CHARACTERS = 64;
const WORDS_ONLY = /^(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-_ .:/]?(?:[A-Z][a-z]+|(?<=[-_ .:/])[a-z]+|(?<=[-_ .:/])[A-Z]+))*$/;

/** Whether `value` is none, whatever stands before it. */
export function isNoSecret(value: string): boolean {
  return value === "" || WORDS.has(value.toLowerCase()) || patterns.some((pattern) => pattern.test(value));
}

/** Whether an unquoted value in a text is a piece of a program. */
export function isCode(value: string): boolean {
  return CALL.test(value) || (MEMBER.test(value) && NAMED.test(value));
}

/** Whether `value` can be what a program or a person made up so that nobody guesses it. */
export function looksRandom(value: string): boolean {
  if (value.length < RANDOM_CHARACTERS_MIN) return false;
  if (/^[0-9.,:]+$/.test(value)) return false;
  if (value.length > LONGEST_WORDS_CHARACTERS) return true;
  return (
    !WORDS_ONLY.test(value) || value.split(/[^A-Za-z]|(?=[A-Z][a-z])/).some((one) => one.length > WORD_LETTERS_MAX)
  );
}
