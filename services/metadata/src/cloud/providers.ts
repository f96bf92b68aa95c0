// The clouds' metadata services, a row each: how each is asked who this instance is, and what its answer means.
import { create } from "@bufbuild/protobuf";
import { type CloudInstance, CloudInstanceSchema } from "@nightjar/proto";

/** Asks the service for a path; gives its answer's text. Rejects where there is none, or one that is not 200. */
export type Ask = (path: string, headers: Record<string, string>, method?: "GET" | "PUT") => Promise<string>;

export interface Provider {
  name: string;
  /** Who this instance is. Rejects where the service is another's, or does not answer. */
  identify: (ask: Ask) => Promise<CloudInstance>;
}

/** How long AWS's token is wanted for: one identity is asked with it. */
const TOKEN_S = "60";
/** Answers are other people's: no text of them is taken that is longer. */
const TEXT_CHARACTERS_MAX = 256;

/** The texts at paths of an answer in JSON ("compute.vmId"); empty where there is none. */
function textsOf(answer: string): (path: string) => string {
  const whole: unknown = JSON.parse(answer);
  return (path) => {
    let value = whole;
    for (const name of path.split(".")) value = (value as Record<string, unknown> | null | undefined)?.[name];
    const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
    return text.slice(0, TEXT_CHARACTERS_MAX);
  };
}

/** What stands behind the last slash: GCP names zones and types by their paths. */
const lastOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** An answer without an instance is another service's. */
function named(instance: Omit<CloudInstance, "$typeName" | "$unknown">): CloudInstance {
  if (instance.instanceId === "") throw new Error("the answer names no instance");
  return create(CloudInstanceSchema, instance);
}

export const PROVIDERS: readonly Provider[] = [
  {
    // IMDSv2 alone: the token makes forged requests of other programs useless, and v1 is often forbidden.
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
    name: "aws",
    async identify(ask) {
      const lifetime = { "X-aws-ec2-metadata-token-ttl-seconds": TOKEN_S };
      const token = await ask("/latest/api/token", lifetime, "PUT");
      const headers = { "X-aws-ec2-metadata-token": token };
      const text = textsOf(await ask("/latest/dynamic/instance-identity/document", headers));
      return named({
        provider: "aws",
        instanceId: text("instanceId"),
        instanceType: text("instanceType"),
        region: text("region"),
        zone: text("availabilityZone"),
        accountId: text("accountId"),
        imageId: text("imageId"),
      });
    },
  },
  {
    // https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys. Ids of instances have up to 20 digits,
    // more than a number in JSON keeps, so it is asked for by itself.
    name: "gcp",
    async identify(ask) {
      const headers = { "Metadata-Flavor": "Google" };
      const text = textsOf(await ask("/computeMetadata/v1/instance/?recursive=true", headers));
      const id = await ask("/computeMetadata/v1/instance/id", headers);
      const project = await ask("/computeMetadata/v1/project/project-id", headers);
      const zone = lastOf(text("zone"));
      return named({
        provider: "gcp",
        instanceId: /^\d{1,20}$/.test(id.trim()) ? id.trim() : "",
        instanceType: lastOf(text("machineType")),
        region: zone.replace(/-[a-z]$/, ""),
        zone,
        accountId: project.trim().slice(0, TEXT_CHARACTERS_MAX),
        imageId: lastOf(text("image")),
      });
    },
  },
  {
    // https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
    name: "azure",
    async identify(ask) {
      const text = textsOf(await ask("/metadata/instance?api-version=2021-02-01", { Metadata: "true" }));
      return named({
        provider: "azure",
        instanceId: text("compute.vmId"),
        instanceType: text("compute.vmSize"),
        region: text("compute.location"),
        zone: text("compute.zone"),
        accountId: text("compute.subscriptionId"),
        imageId: text("compute.storageProfile.imageReference.id"),
      });
    },
  },
];
