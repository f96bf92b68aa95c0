// What is encoded by hand is what protobuf-es reads.
import { create, fromBinary } from "@bufbuild/protobuf";
import { DescriptorSchema, DescriptorType, ExecSchema } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { encodeExec, type KnownExec } from "./exec-writer.ts";

const bytes = fc.uint8Array({ maxLength: 300 }) as fc.Arbitrary<Uint8Array<ArrayBuffer>>;
const uint32 = fc.oneof(fc.constant(0), fc.nat(0xffff_ffff));
const uint64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const descriptor = fc
  .record({ type: fc.constantFrom(DescriptorType.PIPE, DescriptorType.TTY), name: bytes })
  .map((init) => create(DescriptorSchema, init));

const known: fc.Arbitrary<KnownExec> = fc.record(
  {
    ...{ executable: bytes, args: fc.array(bytes, { maxLength: 5 }), workingDirectory: bytes, ttyName: bytes },
    ...{ loginUid: uint32, tty: uint32, fileMode: uint32, device: uint32, inode: uint64, changedTimeNs: uint64 },
    ...{ capabilitiesPermitted: uint64, unlinked: fc.boolean(), argsTruncated: fc.boolean() },
    stdio: fc.array(descriptor, { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

test("any known fields are read back, and no others", (t) => {
  fc.assert(
    fc.property(known, (fields) => {
      t.deepEqual(fromBinary(ExecSchema, encodeExec(fields)), create(ExecSchema, fields));
    }),
  );
});
