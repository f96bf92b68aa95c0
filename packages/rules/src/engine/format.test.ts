// Outputs taken apart and filled in: which fields are found in them, what they print, and what is refused.
import { BatchReader } from "@nightjar/events";
import test from "ava";
import { findField } from "../fields/catalogue.ts";
import { batchOf, open } from "./batch.fixture.ts";
import { EventView } from "./event-view.ts";
import { formatOutput, parseFormat } from "./format.ts";
import { getterOf } from "./interpret.ts";

const PRINTED: readonly (readonly [output: string, text: string])[] = [
  ["plain", "plain"],
  ["%proc.name", "vi"],
  ["(%proc.name)%fd.num.", "(vi)3."],
  ["%proc.name%fd.name", "vi/etc/hosts"],
  ["%proc.aname[2] %evt.arg.flags %evt.arg[name]", "sshd O_RDONLY /etc/hosts"],
  ["%proc.env[HOME]|%fd.sip", "<NA>|<NA>"],
  ["%toupper(proc.name), %len(fd.name)", "VI, 10"],
  ["%concat(proc.name, '-', proc.pname)!", "vi-bash!"],
  ["%join('+', (proc.name, fd.num)) %basename(tolower(fd.name))", "vi+3 hosts"],
  ["%5proc.name|%1proc.name|%12fd.name|%3fd.sip|", "vi   |v|/etc/hosts  |<NA|"],
  ["*%proc.name *", "vi *"],
  // The longest name of a field counts, and what is behind it is text.
  ["%fd.name.bak %proc.names", "/etc/hosts.bak vis"],
];

function view(): EventView {
  const opened = new EventView();
  opened.open(
    new BatchReader(
      batchOf(open("/etc/hosts", 0), [
        ["vi", "/usr/bin/vi", "vi"],
        ["bash", "/usr/bin/bash", "-bash"],
        ["sshd", "/usr/sbin/sshd", "sshd"],
      ]),
    ),
  );
  opened.select(0);
  return opened;
}

for (const [output, text] of PRINTED) {
  test(`"${output}" prints "${text}"`, (t) => {
    const result = parseFormat(output, { findField });
    if (!("format" in result)) return t.fail(result.message);
    t.is(
      formatOutput(result.format, (term) => getterOf(term)(view())),
      text,
    );
  });
}

const REFUSED: readonly (readonly [output: string, offset: number, message: string])[] = [
  ["%", 0, "invalid formatting syntax: formatting cannot end with a %"],
  ["100%", 3, "invalid formatting syntax: formatting cannot end with a %"],
  ["a %12", 2, "invalid formatting syntax: formatting cannot end with a number"],
  ["a % b", 2, "invalid formatting token "],
  ["%% %proc.name", 0, "invalid formatting token %"],
  ["of %not_a_field x", 3, "invalid formatting token not_a_field"],
  ["%proc.nme", 0, "invalid formatting token proc.nme"],
  ["%toupper(proc.nme)", 0, "invalid formatting token toupper(proc.nme)"],
  ["%toupper(proc.name", 0, "invalid formatting token toupper(proc.name"],
  ["%toupper(fd.num)", 0, "transformer 'toupper' does not support a int"],
  ["%9999proc.name", 0, "a width may be 1024 characters"],
];

for (const [output, offset, message] of REFUSED) {
  test(`"${output}" is refused`, (t) => {
    t.deepEqual(parseFormat(output, { findField }), { message, offset });
  });
}
