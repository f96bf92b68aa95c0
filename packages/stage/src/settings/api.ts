// The settings of the service account with which the sensor calls the portal.
import { path, type SettingTable, text } from "../setting.ts";

export const apiSettings = {
  client_id: text({
    default: "",
    doc: "The service account's client id. Empty, with none in a file either, means none.",
  }),
  client_id_file: path({ default: "", doc: "File with the client id alone." }),
  client_secret: text({
    default: "",
    secret: true,
    doc:
      "The service account's secret, in the environment or the settings file; no flag, which every user of the host " +
      "could read.",
  }),
  client_secret_file: path({
    default: "",
    doc:
      "File with the secret alone. Without it, systemd's credentials `nightjar-api-client-id` and " +
      "`nightjar-api-client-secret` are taken where there are any.",
  }),
  client_secret_command: text({
    default: "",
    doc: "A shell command that prints the secret, such as one that asks a vault. Asked for each access token.",
  }),
  token_url: text({
    default: "",
    doc: "Where access tokens are given. Empty means /oauth/token at the portal.",
  }),
} satisfies SettingTable;
