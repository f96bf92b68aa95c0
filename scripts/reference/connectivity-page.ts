// The page of what goes wrong between a sensor and its portal.
import { failureWords } from "../../services/uplink/src/failure.ts";
import { page, tableOf } from "./text.ts";

export function connectivityPage(): string {
  return page(
    "Errors of talking to the portal",
    `They are in the uplink's log, level ERROR: \`fields.message\` has the words below, \`fields.resp\` what the portal
or the system said. As long as one lasts, the uplink has the health issue \`PORTAL_UNREACHABLE\`. All of them, once:

    jq -r 'select(.level == "ERROR") | "\\(.fields.message), \\(.fields.resp)"' uplink.log | sort -u

\`nightjar doctor connectivity\` walks the way step by step and says where it ends. PORTAL stands for the host and port
of \`uplink.portal_url\`; behind a proxy, curl goes by the same variables as the uplink. How a sensor is given its
account, proxies and authorities: [connectivity](../connectivity.md).`,
    tableOf(
      ["message", "what it means and what to try"],
      Object.values(failureWords).map(({ message, doc }) => [`\`${message}\``, doc]),
    ),
    "Any other status that the portal answers is told the same way, as `comm error (STATUS)`.",
  );
}
