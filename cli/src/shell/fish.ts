// Completion for fish: the words that fit behind each command, with what they mean.
import type { Described, DescribedOption } from "./describe.ts";

/** A file for fish's folder of completions, by the name of nightjar.fish. */
export function fishCompletion(commands: readonly Described[]): string {
  const paths = commands.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const rows = commands.flatMap(({ path, commands: below, options }) => {
    const where = `complete -c nightjar -n ${quoted(`__nightjar_at "${path}"`)}`;
    return [
      ...below.map(({ name, description }) => `${where} -f -a ${name} -d ${quoted(description)}`),
      ...options.map((option) => `${where} ${optionWords(option)}`),
    ];
  });
  return `# fish completion for nightjar
function __nightjar_at
  set -l path
  for word in (commandline -opc)[2..-1]
    if contains -- (string join -- ' ' $path $word) ${paths.join(" ")}
      set -a path $word
    end
  end
  set -l joined (string join -- ' ' $path)
  test "$joined" = "$argv[1]"
end
${rows.join("\n")}
`;
}

function optionWords({ names, description, takesValue, choices }: DescribedOption): string {
  const written = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const value = takesValue ? ["-r"] : ["-f"];
  const list = choices.length > 0 ? ["-f", `-a ${quoted(choices.join(" "))}`] : [];
  return [...written, ...value, ...list, `-d ${quoted(description)}`].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", " ")}'`;
}
