// A text as it stands in nats-server.conf.

/** JSON's strings are what nats-server's parser takes in double quotes. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
