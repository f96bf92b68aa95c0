// Tests how the newest of the versions that programs ask for is found.
import test from "ava";
import { lowestVersions, newest } from "./needs.ts";

test("versions are ordered as numbers, and each library has its own", (t) => {
  const text = ["GLIBC_2.9", "GLIBC_2.34", "GLIBCXX_3.4.21", "GLIBC_2.4", "GLIBCXX_3.4.9", "CXXABI_1.3.9"]
    .map((name) => `  0x0010:   Name: ${name}  Flags: none  Version: 2\n`)
    .join("");
  t.is(newest(text, "GLIBC"), "2.34");
  t.is(newest(text, "GLIBCXX"), "3.4.21");
  t.is(newest("", "GLIBC"), "0");
});

test("Node itself asks for some glibc, and what is no program is refused", (t) => {
  t.regex(lowestVersions([process.execPath]).glibc_min, /^2\.\d+$/);
  t.throws(() => lowestVersions([`${import.meta.dirname}/none`]), { message: /readelf failed/ });
});
