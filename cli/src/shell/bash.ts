// Completion for bash: the words that fit behind each command, and the values of options that have a list.
import type { Described } from "./describe.ts";

/** A script to be sourced. */
export function bashCompletion(commands: readonly Described[]): string {
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const words = commands.map(({ path, commands: below, options }) => {
    const all = [...below.map(({ name }) => name), ...options.flatMap(({ names }) => names)];
    return `    ${quoted(path)}) words=${quoted(all.join(" "))} ;;`;
  });
  const values = commands.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ names, choices }) => {
        const patterns = names.map((name) => quoted(`${path} ${name}`)).join(" | ");
        return `    ${patterns}) ${choices.length > 0 ? `words=${quoted(choices.join(" "))}` : "return"} ;;`;
      }),
  );
  return `# bash completion for nightjar; source it, or put it into bash-completion's folder as "nightjar".
_nightjar() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} path="" word words=""
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    case "\${path:+$path }$word" in
    ${paths.join(" | ")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${words.join("\n")}
  esac
  # An option that takes a value: its list, or the files that bash offers by itself.
  case "$path $previous" in
${values.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _nightjar nightjar
`;
}

/** Names, flags and words have no apostrophe. */
function quoted(text: string): string {
  return `'${text}'`;
}
