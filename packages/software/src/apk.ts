// Reads apk's database: lines of a letter, a colon and a value (apk-tools, doc/apk-package.5).
import { attempt, DATABASE_BYTES_MAX, type DatabaseFormat, type Package } from "./database.ts";

/** Alpine has moved it with /lib into /usr; where both are there, they are the same file by two names. */
const INSTALLED = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

export const apk: DatabaseFormat = {
  manager: "apk",
  watched: INSTALLED,
  read(root, sink) {
    const problems: string[] = [];
    const text = INSTALLED.map((path) => attempt(problems, () => root.readText(path, DATABASE_BYTES_MAX))).find(
      (found) => found !== undefined,
    );
    let owner = none();
    let folder = "";
    const end = () => {
      if (owner.name !== "") sink.installed(owner);
      owner = none();
    };
    for (const line of lines(text ?? "")) {
      const value = line.slice(2);
      if (line === "") end();
      else if (line.startsWith("P:")) owner.name = value;
      else if (line.startsWith("V:")) owner.version = value;
      else if (line.startsWith("A:")) owner.architecture = value;
      else if (line.startsWith("o:") && value !== owner.name) owner.source = { name: value, version: owner.version };
      // Of what is in the root folder itself, the folder is "".
      else if (line.startsWith("F:")) folder = value === "" ? "" : `/${value}`;
      else if (line.startsWith("R:") && owner.name !== "") sink.file?.(`${folder}/${value}`, owner);
    }
    end();
    return problems;
  },
};

function none(): Package {
  return { manager: "apk", name: "", version: "", architecture: "" };
}

function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    yield text.slice(start, end);
    start = end + 1;
  }
}
