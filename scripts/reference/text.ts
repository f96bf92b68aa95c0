// The Markdown that the pages of the reference are made of.

const NOTICE = "<!-- Made from the code by `node scripts/reference.ts`; edit there. -->";

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The rows of a table of names, in backquotes, and what is said of each. */
export function rowsOf(docs: Readonly<Record<string, string>>): string[][] {
  return Object.entries(docs).map(([name, doc]) => [`\`${name}\``, doc]);
}

export function page(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, NOTICE, ...parts].join("\n\n")}\n`;
}
