// Secrets that are known by their own form, a row each: what it is, how it begins, what follows, who says so.

/**
 * A form begins with one of its heads; the tail is a regular expression of character classes. Before it stands no
 * letter or digit, nor behind it, where its length is bounded. One without a bound takes all there is: then a try
 * either fails within its least length, or what it took is not looked at again, and all tries together are linear.
 */
export interface Form {
  kind: string;
  heads: readonly string[];
  tail: string;
  source: string;
}

const row = (kind: string, heads: string, tail: string, source: string): Form => ({
  kind,
  heads: heads.split(" "),
  tail,
  source,
});

const HEX = "[0-9a-fA-F]";
const ALNUM = "[A-Za-z0-9]";
const BASE64URL = "[A-Za-z0-9_-]";

const clouds: readonly Form[] = [
  row(
    "aws-access-key",
    "AKIA ASIA ABIA ACCA",
    "[A-Z2-7]{16}",
    "AWS IAM User Guide, Reference identifiers: unique ID prefixes",
  ),
  row("aws-bedrock-key", "ABSK", "[A-Za-z0-9+/]{100,}={0,2}", "AWS Bedrock User Guide, API keys"),
  row("aws-session-token", "FwoGZXIvYXdz IQoJb3JpZ2lu", "[A-Za-z0-9+/]{60,}={0,2}", "AWS STS, session tokens"),
  row("google-api-key", "AIza", `${BASE64URL}{35}`, "Google Cloud, API keys"),
  row("google-oauth-secret", "GOCSPX-", `${BASE64URL}{28}`, "Google Identity, OAuth client secrets"),
  row("google-oauth-token", "ya29.", "[A-Za-z0-9_.-]{20,}", "Google Identity, access tokens"),
  row("google-refresh-token", "1//0", `${BASE64URL}{40,}`, "Google Identity, refresh tokens"),
  row("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", "[0-9a-f]{64}", "DigitalOcean, token prefixes (2022)"),
  row("alibaba-access-key", "LTAI", `${ALNUM}{12,26}`, "Alibaba Cloud RAM, AccessKey pairs"),
  row("tencent-secret-id", "AKID", `${ALNUM}{32}`, "Tencent Cloud CAM, API keys"),
  row("yandex-token", "AQVN", `${BASE64URL}{35,38}`, "Yandex Cloud IAM, API keys"),
  row("yandex-token", "y0_", `${BASE64URL}{50,60}`, "Yandex ID, OAuth tokens"),
  row("scaleway-access-key", "SCW", "[A-Z0-9]{17}", "Scaleway IAM, API keys"),
  row("fly-token", "fo1_ fm1r_ fm1a_ fm2_", "[A-Za-z0-9+/_-]{43,}={0,3}", "Fly.io, tokens"),
  row("heroku-key", "HRKU-", "[A-Za-z0-9_-]{36,64}", "Heroku changelog 2024, token prefixes"),
  row("netlify-token", "nfp_ nfc_ nfo_ nfu_", `${ALNUM}{36,40}`, "Netlify changelog, token prefixes"),
  row("cloudflare-ca-key", "v1.0-", "[0-9a-f]{24}-[0-9a-f]{146}", "Cloudflare, Origin CA keys"),
  row("render-key", "rnd_", `${ALNUM}{28,40}`, "Render API"),
];

const code: readonly Form[] = [
  row("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", `${ALNUM}{36,}`, "GitHub, token formats (2021)"),
  row("github-token", "github_pat_", "[A-Za-z0-9_]{36,}", "GitHub, fine-grained personal access tokens"),
  row(
    "gitlab-token",
    "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct- glwt-",
    "[A-Za-z0-9_.-]{20,}",
    "GitLab, token overview: token prefixes",
  ),
  row("gitlab-token", "GR1348941", `${BASE64URL}{20}`, "GitLab, runner registration tokens"),
  row("bitbucket-token", "ATBB", `${ALNUM}{28,40}`, "Bitbucket Cloud, app passwords"),
  row("atlassian-token", "ATATT3 ATCTT3 ATSTT3", "[A-Za-z0-9_=-]{60,}", "Atlassian, API tokens"),
  row("npm-token", "npm_", `${ALNUM}{36}`, "GitHub blog 2021, npm's token format"),
  row("pypi-token", "pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw", `${BASE64URL}{50,}`, "PyPI, API tokens"),
  row("rubygems-key", "rubygems_", "[0-9a-f]{48}", "RubyGems, API key scopes"),
  row("crates-token", "cio", `${ALNUM}{32}`, "crates.io, token prefix"),
  row("nuget-key", "oy2", "[a-z0-9]{43}", "NuGet, API keys"),
  row("docker-token", "dckr_pat_ dckr_oat_", `${BASE64URL}{27,40}`, "Docker Hub, access tokens"),
  row("docker-swarm-token", "SWMTKN-1-", "[a-z0-9]{50}-[a-z0-9]{25}", "Docker, swarm join tokens"),
  row("jfrog-token", "AKCp", `${ALNUM}{69,73}`, "JFrog Artifactory, API keys"),
  row("jfrog-token", "cmVmdGtuO", `${ALNUM}{50,60}`, "JFrog, reference tokens: base64 of reftkn"),
  row("circleci-token", "CCIPAT_ CCIPRJ_", "[A-Za-z0-9]{22}_[0-9a-f]{40}", "CircleCI, token format (2023)"),
  row("buildkite-token", "bkua_ bkaj_ bkct_", "[A-Za-z0-9]{40,80}", "Buildkite, token prefixes"),
  row("sonar-token", "sqp_ squ_ sqa_", "[0-9a-f]{40}", "SonarQube, token prefixes"),
  row("sourcegraph-token", "sgp_", "(?:[0-9a-fA-F]{16}_|local_)?[0-9a-fA-F]{40}", "Sourcegraph, access tokens"),
  row("typeform-token", "tfp_", "[A-Za-z0-9_.=-]{40,60}", "Typeform, personal access tokens"),
  row("pulumi-token", "pul-", "[0-9a-f]{40}", "Pulumi Cloud, access tokens"),
  row("octopus-key", "API-", "[A-Z0-9]{26,31}", "Octopus Deploy, API keys"),
  row("postman-key", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}", "Postman, API keys"),
  row("readme-key", "rdme_", "[a-z0-9]{70}", "ReadMe, API keys"),
  row("snyk-token", "snyk_uat. snyk_sat.", "[0-9a-f]{8}\\.[A-Za-z0-9_.-]{40,120}", "Snyk, API tokens"),
];

const platforms: readonly Form[] = [
  row("slack-token", "xoxb- xoxp- xoxa- xoxr- xoxo- xoxs- xoxe- xoxc- xoxd-", "[A-Za-z0-9%-]{10,}", "Slack, tokens"),
  row("slack-token", "xoxe.xoxb- xoxe.xoxp-", "[A-Za-z0-9-]{40,}", "Slack, token rotation"),
  row("slack-token", "xapp-", "[0-9]-[A-Z0-9]{6,20}-[0-9]{6,20}-[a-z0-9]{20,80}", "Slack, app-level tokens"),
  row(
    "slack-webhook",
    "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/",
    "[A-Za-z0-9+/]{20,100}",
    "Slack, incoming webhooks",
  ),
  row(
    "discord-webhook",
    "discord.com/api/webhooks/ discordapp.com/api/webhooks/",
    "[0-9]{17,20}/[A-Za-z0-9_-]{60,80}",
    "Discord, webhooks",
  ),
  row("teams-webhook", "webhook.office.com/webhookb2/", "[A-Za-z0-9@/-]{40,}", "Microsoft Teams, incoming webhooks"),
  row("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", `${ALNUM}{10,}`, "Stripe, API keys"),
  row("stripe-webhook-secret", "whsec_", "[A-Za-z0-9+/]{24,80}={0,2}", "Stripe, webhook signatures; standardwebhooks"),
  row("square-token", "sq0atp- sq0csp- sq0idp-", `${BASE64URL}{22,60}`, "Square, access tokens"),
  row("square-token", "EAAA", `${BASE64URL}{56,64}`, "Square, access tokens"),
  row("facebook-token", "EAAC EAAM EAAG EAAD", `${ALNUM}{90,}`, "Meta, access tokens"),
  row("instagram-token", "IGQV", `${BASE64URL}{100,}`, "Meta, Instagram access tokens"),
  row("paypal-token", "access_token$production$ access_token$sandbox$", "[0-9a-z]{16}\\$[0-9a-f]{32}", "Braintree"),
  row("shopify-token", "shpat_ shpca_ shppa_ shpss_", `${HEX}{32}`, "Shopify changelog 2020, token prefixes"),
  row("flutterwave-key", "FLWSECK-", `${ALNUM}{32}-X`, "Flutterwave, API keys"),
  row("flutterwave-key", "FLWSECK_TEST-", `${ALNUM}{12,34}(?:-X)?`, "Flutterwave, API keys"),
  row("plaid-token", "access-production- access-sandbox- access-development-", "[0-9a-f-]{36}", "Plaid, tokens"),
  row("shippo-token", "shippo_live_ shippo_test_", `${HEX}{40}`, "Shippo, API keys"),
  row("easypost-key", "EZAK EZTK", `${ALNUM}{54}`, "EasyPost, API keys"),
  row("duffel-token", "duffel_live_ duffel_test_", "[A-Za-z0-9_=-]{43}", "Duffel, access tokens"),
  row("sendgrid-key", "SG.", "[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}", "Twilio SendGrid, API keys"),
  row("twilio-key", "SK", "[0-9a-f]{32}", "Twilio, API keys: SID format"),
  row("mailgun-key", "key-", "[0-9a-z]{32}", "Mailgun, API keys"),
  row("brevo-key", "xkeysib- xsmtpsib-", "[0-9a-f]{64}-[A-Za-z0-9]{16}", "Brevo, API keys"),
  row("resend-key", "re_", "[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30}", "Resend, API keys"),
  row("airtable-token", "pat", "[A-Za-z0-9]{14}\\.[0-9a-f]{64}", "Airtable, personal access tokens"),
  row("notion-token", "ntn_", `${ALNUM}{40,60}`, "Notion changelog 2024, token prefix"),
  row("linear-key", "lin_api_ lin_oauth_", `${ALNUM}{32,64}`, "Linear, API keys"),
  row("figma-token", "figd_ figu_ figo_", `${BASE64URL}{40,60}`, "Figma, access tokens"),
  row("hubspot-token", "pat-na1- pat-eu1-", "[0-9a-fA-F-]{36}", "HubSpot, private apps"),
  row("asana-token", "1/ 2/", "[0-9]{15,20}(?:/[0-9]{15,20})?:[0-9a-f]{32}", "Asana, personal access tokens"),
  row("dropbox-token", "sl. sl.u.", `${BASE64URL}{130,}`, "Dropbox, short-lived access tokens"),
  row("frameio-token", "fio-u-", "[A-Za-z0-9_=-]{64}", "Frame.io, API tokens"),
  row("contentful-token", "CFPAT-", `${BASE64URL}{43}`, "Contentful, management tokens"),
  row("intra42-secret", "s-s4t2ud- s-s4t2af-", "[0-9a-f]{64}", "42 API"),
  row("mapbox-token", "sk.eyJ tk.eyJ", "[A-Za-z0-9_-]{40,}\\.[A-Za-z0-9_-]{20,30}", "Mapbox, access tokens"),
  row("twitter-token", "AAAAAAAAAAAAAAAAAAAAA", "[A-Za-z0-9%]{60,120}", "X API, bearer tokens"),
];

const operations: readonly Form[] = [
  row("vault-token", "hvs. hvb. hvr.", `${BASE64URL}{24,}`, "HashiCorp Vault 1.10, token prefixes"),
  row("vault-token", "s.", "(?=[A-Za-z]{0,23}[0-9])[A-Za-z0-9]{24}", "HashiCorp Vault before 1.10"),
  row("grafana-token", "glsa_", "[A-Za-z0-9]{32}_[0-9a-f]{8}", "Grafana, service account tokens"),
  row("grafana-token", "glc_", "[A-Za-z0-9+/]{32,}={0,2}", "Grafana Cloud, access policies"),
  row("new-relic-key", "NRAK- NRII- NRIQ- NRRA-", "[A-Za-z0-9_-]{27,42}", "New Relic, API keys"),
  row("new-relic-key", "NRJS-", "[0-9a-f]{19}", "New Relic, browser keys"),
  row("dynatrace-token", "dt0c01. dt0s01. dt0s16.", "[A-Z0-9]{8,24}\\.[A-Z0-9]{64}", "Dynatrace, token formats"),
  row("sentry-token", "sntryu_", "[0-9a-f]{64}", "Sentry, auth tokens"),
  row("sentry-token", "sntrys_", "[A-Za-z0-9+/=_-]{60,}", "Sentry, organization tokens"),
  row("okta-token", "SSWS ", "00[A-Za-z0-9_-]{40}", "Okta, API tokens: SSWS scheme"),
  row(
    "tailscale-key",
    "tskey-auth- tskey-api- tskey-client- tskey-scim-",
    "[A-Za-z0-9]+-[A-Za-z0-9]{20,50}",
    "Tailscale",
  ),
  row("doppler-token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", "[A-Za-z0-9._-]{40,80}", "Doppler, tokens"),
  row("onepassword-token", "ops_eyJ", "[A-Za-z0-9_=-]{100,}", "1Password, service accounts"),
  row("onepassword-key", "A3-", "[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){3,4}", "1Password, secret key"),
  row("age-key", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", "age v1, C2SP"),
  row("databricks-token", "dapi dkea dose", "[0-9a-f]{32}(?:-[0-9])?", "Databricks, personal access tokens"),
  row("planetscale-token", "pscale_tkn_ pscale_oauth_ pscale_pw_", "[A-Za-z0-9_.=-]{32,64}", "PlanetScale"),
  row("supabase-key", "sbp_ sb_secret_", "[A-Za-z0-9_]{30,60}", "Supabase, API keys"),
  row("neon-key", "napi_", "[a-z0-9]{50,80}", "Neon, API keys"),
  row("prefect-key", "pnu_", `${ALNUM}{36}`, "Prefect Cloud, API keys"),
  row("launchdarkly-key", "sdk-", "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "LaunchDarkly, keys"),
  row("openshift-token", "sha256~", `${BASE64URL}{43}`, "OpenShift 4.6, OAuth tokens"),
  row("rancher-token", "token-", "[a-z0-9]{5}:[a-z0-9]{54}", "Rancher, API keys"),
  row("openai-key", "sk-proj- sk-svcacct- sk-admin- sk-None-", `${BASE64URL}{40,}`, "OpenAI, API keys"),
  row("openai-key", "sk-", "[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}", "OpenAI, API keys until 2024"),
  row("anthropic-key", "sk-ant-", `${BASE64URL}{40,}`, "Anthropic, API keys"),
  row("openrouter-key", "sk-or-v1-", "[0-9a-f]{64}", "OpenRouter, API keys"),
  row("huggingface-token", "hf_ api_org_", "[A-Za-z]{34,40}", "Hugging Face, user access tokens"),
  row("replicate-token", "r8_", `${ALNUM}{37,40}`, "Replicate, API tokens"),
  row("groq-key", "gsk_", `${ALNUM}{48,60}`, "Groq, API keys"),
  row("xai-key", "xai-", `${ALNUM}{60,90}`, "xAI, API keys"),
  row("perplexity-key", "pplx-", `${ALNUM}{40,60}`, "Perplexity, API keys"),
  row("langsmith-key", "lsv2_pt_ lsv2_sk_", "[0-9a-f]{32}_[0-9a-f]{10}", "LangSmith, API keys"),
  row("pinecone-key", "pcsk_", "[A-Za-z0-9_]{60,80}", "Pinecone, API keys"),
  row("password-hash", "$1$ $5$ $6$ $y$ $gy$ $7$", "[A-Za-z0-9./=,$]{22,}", "crypt(5)"),
  row("password-hash", "$2a$ $2b$ $2y$", "[0-9]{2}\\$[A-Za-z0-9./]{53}", "crypt(5): bcrypt"),
  row("password-hash", "$argon2id$ $argon2i$ $argon2d$", "[A-Za-z0-9+/=,$]{40,}", "RFC 9106, PHC string format"),
  row("kerberos-hash", "$krb5tgs$ $krb5asrep$", "[A-Za-z0-9*$@./:_-]{40,}", "hashcat, modes 13100 and 18200"),
];

export const forms: readonly Form[] = [...clouds, ...code, ...platforms, ...operations];

/**
 * Forms without a head of their own. Each is looked for only where its `needle` is in the text, and cannot begin
 * within what it would take, so that the tries together read each character a bounded number of times.
 */
export interface LooseForm {
  kind: string;
  needle: string;
  pattern: RegExp;
  source: string;
}

const SEGMENT = "[A-Za-z0-9_-]";

export const looseForms: readonly LooseForm[] = [
  {
    kind: "jwt",
    needle: "eyJ",
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{7,}(?:\.[A-Za-z0-9_-]*){2,4}/g,
    source: 'RFC 7519, RFC 7516: the base64url of {" and two or four more parts',
  },
  {
    kind: "azure-client-secret",
    needle: "Q~",
    pattern: /(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])/g,
    source: "Microsoft Entra ID, client secrets since 2021",
  },
  {
    kind: "azure-storage-key",
    needle: "==",
    pattern: /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{76}\+AS[a-z][A-Za-z0-9+/]{6}==/g,
    source: "Azure Storage, account keys with a signature (AStb...)",
  },
  {
    kind: "telegram-token",
    needle: ":AA",
    pattern: /(?<![A-Za-z0-9_-])(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}(?![A-Za-z0-9_-])/g,
    source: "Telegram Bot API, authorizing your bot",
  },
  {
    kind: "mailchimp-key",
    needle: "-us",
    pattern: /(?<![A-Za-z0-9-])[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])/g,
    source: "Mailchimp, API keys",
  },
  {
    kind: "discord-token",
    needle: ".",
    pattern: new RegExp(
      `(?<!${SEGMENT})[MNO][A-Za-z0-9]{23,27}\\.[A-Za-z0-9_-]{6}\\.${SEGMENT}{27,38}(?!${SEGMENT})`,
      "g",
    ),
    source: "Discord, bot tokens",
  },
  {
    kind: "terraform-token",
    needle: ".atlasv1.",
    pattern: /(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}(?![A-Za-z0-9])/g,
    source: "HCP Terraform, API tokens",
  },
  {
    kind: "maxmind-key",
    needle: "_mmk",
    pattern: /(?<![A-Za-z0-9])[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?![A-Za-z0-9])/g,
    source: "MaxMind, license keys",
  },
  {
    kind: "facebook-token",
    needle: "|",
    pattern: /(?<![A-Za-z0-9])[0-9]{15,16}\|[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_-])/g,
    source: "Meta, app access tokens",
  },
  {
    kind: "password-hash",
    needle: ":::",
    pattern: /(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}:[0-9A-Fa-f]{32}(?=:::)/g,
    source: "MS-SAMR: LM and NT hashes as pwdump prints them",
  },
];
