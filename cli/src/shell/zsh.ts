// Completion for zsh: the words that fit behind each command, with what they mean.
import type { Described, DescribedOption } from "./describe.ts";

/** A file for a folder of fpath, by the name of _nightjar; it may be sourced too. */
export function zshCompletion(commands: readonly Described[]): string {
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const words = commands.map(({ path, commands: below, options }) => {
    const all = [
      ...below.map(({ name, description }) => pair(name, description)),
      ...options.flatMap(({ names, description }) => names.map((name) => pair(name, description))),
    ];
    return `    ${quoted(path)}) entries=(${all.join(" ")}) ;;`;
  });
  const values = commands.flatMap(({ path, options }) =>
    options.filter(({ takesValue }) => takesValue).map((option) => valueRow(path, option)),
  );
  return `#compdef nightjar
_nightjar() {
  local where="" word
  local -a entries
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${where:+$where }$word" in
    ${paths.join(" | ")}) where="\${where:+$where }$word" ;;
    esac
  done
  case "$where \${words[CURRENT-1]}" in
${values.join("\n")}
  esac
  case "$where" in
${words.join("\n")}
  esac
  _describe 'nightjar' entries
}
if [[ "$funcstack[1]" == "_nightjar" ]]; then _nightjar "$@"; else compdef _nightjar nightjar; fi
`;
}

function valueRow(path: string, { names, choices }: DescribedOption): string {
  const patterns = names.map((name) => quoted(`${path} ${name}`)).join(" | ");
  const offer = choices.length > 0 ? `compadd -- ${choices.map(quoted).join(" ")}` : "_files";
  return `    ${patterns}) ${offer}; return ;;`;
}

/** A colon divides word and meaning. */
function pair(name: string, description: string): string {
  return quoted(`${name}:${description.replaceAll("\n", " ")}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
