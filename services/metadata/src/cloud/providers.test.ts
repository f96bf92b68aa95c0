// Each cloud's metadata service, stood in for by a server that asks for what the real one asks for.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type ExecutionContext } from "ava";
import { askerOf } from "./identify.ts";
import { PROVIDERS } from "./providers.ts";

type Answer = string | undefined;
const TOKEN = "AQAEALu-token==";

/** Answers by path; undefined is 404. */
const SERVICES: Readonly<Record<string, (request: IncomingMessage) => Answer>> = {
  aws: ({ method, url, headers }) => {
    if (url === "/latest/api/token") {
      return method === "PUT" && Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]) > 0 ? TOKEN : undefined;
    }
    if (headers["x-aws-ec2-metadata-token"] !== TOKEN || url !== "/latest/dynamic/instance-identity/document")
      return undefined;
    return JSON.stringify({
      accountId: "123456789012",
      architecture: "x86_64",
      availabilityZone: "eu-west-1b",
      imageId: "ami-5fb8c835",
      instanceId: "i-1234567890abcdef0",
      instanceType: "t3.micro",
      kernelId: null,
      region: "eu-west-1",
      version: "2017-09-30",
    });
  },
  gcp: ({ url, headers }) => {
    if (headers["metadata-flavor"] !== "Google") return undefined;
    const instance = {
      image: "projects/debian-cloud/global/images/debian-12",
      machineType: "projects/987/machineTypes/e2-small",
      zone: "projects/987/zones/europe-west4-c",
    };
    return {
      "/computeMetadata/v1/instance/?recursive=true": JSON.stringify(instance),
      "/computeMetadata/v1/instance/id": "5432109876543210987",
      "/computeMetadata/v1/project/project-id": "night-shop",
    }[url ?? ""];
  },
  azure: ({ url, headers }) => {
    if (headers.metadata !== "true" || url !== "/metadata/instance?api-version=2021-02-01") return undefined;
    const compute = { location: "westeurope", subscriptionId: "s-1", vmId: "v-1", vmSize: "Standard_B1s", zone: "2" };
    return JSON.stringify({ compute, network: {} });
  },
};

const EXPECTED: Readonly<Record<string, object>> = {
  aws: {
    instanceId: "i-1234567890abcdef0",
    instanceType: "t3.micro",
    region: "eu-west-1",
    zone: "eu-west-1b",
    accountId: "123456789012",
    imageId: "ami-5fb8c835",
  },
  gcp: {
    instanceId: "5432109876543210987",
    instanceType: "e2-small",
    region: "europe-west4",
    zone: "europe-west4-c",
    accountId: "night-shop",
    imageId: "debian-12",
  },
  azure: {
    instanceId: "v-1",
    instanceType: "Standard_B1s",
    region: "westeurope",
    zone: "2",
    accountId: "s-1",
    imageId: "",
  },
};

async function serve(t: ExecutionContext, answer: (request: IncomingMessage) => Answer): Promise<string> {
  const server = createServer((request, response) => {
    const text = answer(request);
    response.writeHead(text === undefined ? 404 : 200).end(text);
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const { signal } = new AbortController();

for (const { name, identify } of PROVIDERS) {
  test(`${name} says who the instance is`, async (t) => {
    const ask = askerOf(await serve(t, SERVICES[name] as (request: IncomingMessage) => Answer), signal);
    t.like(await identify(ask), { provider: name, ...EXPECTED[name] });
  });

  test(`another cloud's service is not taken for ${name}'s`, async (t) => {
    for (const [other, answer] of Object.entries(SERVICES)) {
      if (other === name) continue;
      await t.throwsAsync(identify(askerOf(await serve(t, answer), signal)), undefined, other);
    }
  });

  test(`what is no answer is refused: ${name}`, async (t) => {
    for (const text of ["", "{}", "null", "[1]", "<html>", "x".repeat(300 * 1024)])
      await t.throwsAsync(identify(askerOf(await serve(t, () => text), signal)), undefined, text.slice(0, 9));
  });
}
