// The host in a line for a person, and the instance of a cloud that it is.
import type { CloudInstance, Host } from "@nightjar/proto";
import { printable } from "./text.ts";

const GIB = 1024 ** 3;

/** "web1: Debian GNU/Linux 12 (bookworm), Linux 6.1.0 on x86_64, 2 processors, 7.7 GiB". */
export function hostLine({ name, distribution, kernelRelease, architecture, processors, memoryBytes }: Host): string {
  const system = `Linux ${kernelRelease} on ${architecture}`;
  const processorsText = `${processors} processor${processors === 1 ? "" : "s"}`;
  const memory = `${(Number(memoryBytes) / GIB).toFixed(1)} GiB`;
  const parts = [distribution, system, processorsText, memory].filter((part) => part !== "");
  return printable(`${name}: ${parts.join(", ")}`);
}

/** "aws i-0abc, m5.large in eu-west-1a, account 123456789012". */
export function cloudLine({ provider, instanceId, instanceType, region, zone, accountId }: CloudInstance): string {
  return printable(`${provider} ${instanceId}, ${instanceType} in ${zone || region}, account ${accountId}`);
}
