// Arguments that take secrets, a row each: programs, the flag or word, where the secret stands, which part it is.

/** Where the secret stands: joined to the flag, the argument behind it, either of the two, or the last argument. */
export type Where = "joined" | "next" | "either" | "last" | "any";

export interface ArgumentRow {
  programs: readonly string[];
  /** "" for a secret without a flag. */
  flag: string;
  where: Where;
  part: PartName;
  /** Only where this argument is there too: `docker -p` alone is a port. */
  with?: string;
}

/** Which part of an argument is the secret: its first group, or nothing. All are bounded by the argument's end. */
export const parts = {
  all: /^(.+)$/ds,
  "behind colon": /^[^:]*:(.+)$/ds,
  "behind percent": /^[^%]*%(.+)$/ds,
  "behind comma": /^[^,]*,(.+)$/ds,
  "behind equals": /^[^=]*=(.+)$/ds,
  "behind last colon": /:([^:]+)$/ds,
  // openssl-passphrase-options(1): pass:, env:, file:, fd:, stdin.
  "pass phrase": /^pass:(.+)$/ds,
  // Impacket: [[domain/]user[:password]@]host; sqlplus: user/password[@service].
  "before host": /^(?:[^/@: \t]{0,100}\/)?[^/@: \t]{1,100}:(.+)@[^@]*$/ds,
  "behind slash": /^[^/@ \t-][^/@ \t]{0,100}\/([^@/\\ \t]+)(?:@[^@]*)?$/ds,
  "not a flag": /^([^-].*)$/ds,
} as const satisfies Record<string, RegExp>;

export type PartName = keyof typeof parts;

function rows(programs: string, ...all: readonly (readonly [string, Where, PartName?, string?])[]): ArgumentRow[] {
  return all.map(([flag, where, part = "all", beside]) => ({
    programs: programs.split(" "),
    flag,
    where,
    part,
    ...(beside && { with: beside }),
  }));
}

const IMPACKET =
  "psexec.py smbexec.py wmiexec.py atexec.py dcomexec.py secretsdump.py GetUserSPNs.py GetNPUsers.py GetADUsers.py " +
  "lookupsid.py smbclient.py mssqlclient.py getTGT.py getST.py ticketer.py samrdump.py rpcdump.py " +
  "impacket-psexec impacket-smbexec impacket-wmiexec impacket-secretsdump impacket-smbclient impacket-mssqlclient";
const MYSQL =
  "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlbinlog mysqlslap mysqlpump mariadb mariadb-dump " +
  "mariadb-admin mariadb-import mariadb-show mariadb-check mycli xtrabackup mariabackup";

/** Each by the program's own manual page. */
export const argumentRows: readonly ArgumentRow[] = [
  ...rows(MYSQL, ["-p", "joined"], ["password", "next", "not a flag"]),
  ...rows("sshpass", ["-p", "either"]),
  ...rows(
    "curl",
    ["-u", "either", "behind colon"],
    ["--user", "either", "behind colon"],
    ["-U", "either", "behind colon"],
    ["--proxy-user", "either", "behind colon"],
    ["--oauth2-bearer", "either"],
    ["--pass", "either"],
    ["--proxy-pass", "either"],
    ["-b", "either", "behind equals"],
    ["--cookie", "either", "behind equals"],
    ["-E", "either", "behind colon"],
    ["--cert", "either", "behind colon"],
  ),
  ...rows("http https xh xhs", ["-a", "either", "behind colon"], ["--auth", "either", "behind colon"]),
  ...rows("ab", ["-A", "either", "behind colon"], ["-P", "either", "behind colon"]),
  ...rows("redis-cli valkey-cli keydb-cli", ["-a", "next"], ["--pass", "next"]),
  ...rows("docker podman nerdctl buildah helm oras skopeo crane regctl", ["-p", "either", "all", "login"]),
  ...rows(
    "skopeo podman buildah docker ctr nerdctl oras crictl",
    ["--creds", "either", "behind colon"],
    ["--src-creds", "either", "behind colon"],
    ["--dest-creds", "either", "behind colon"],
    ["--user", "either", "behind colon", "pull"],
    ["-u", "either", "behind colon", "pull"],
  ),
  ...rows("az", ["-p", "next"]),
  ...rows("kubectl oc", ["--from-literal", "either", "behind equals"]),
  ...rows("ldapsearch ldapmodify ldapadd ldapdelete ldappasswd ldapwhoami ldapmodrdn ldapcompare ldapexop", [
    "-w",
    "either",
  ]),
  ...rows("ldappasswd", ["-s", "either"], ["-a", "either"]),
  ...rows(
    "smbclient rpcclient smbget smbcacls smbcquotas net winexe wmic",
    ["-U", "either", "behind percent"],
    ["--user", "either", "behind percent"],
  ),
  ...rows("samba-tool", ["create", "last", "not a flag"], ["setpassword", "last", "not a flag"]),
  ...rows(IMPACKET, ["", "any", "before host"], ["-hashes", "next"], ["-aesKey", "next"]),
  ...rows("crackmapexec cme nxc netexec evil-winrm smbmap bloodhound-python certipy", ["-p", "next"], ["-H", "next"]),
  ...rows("hydra medusa ncrack patator", ["-p", "either"]),
  ...rows("xfreerdp rdesktop wlfreerdp", ["/p:", "joined"], ["-p", "next"]),
  ...rows("plink pscp psftp putty", ["-pw", "next"]),
  ...rows("zip unzip zipcloak fcrackzip", ["-P", "either"]),
  ...rows("7z 7za 7zr 7zz", ["-p", "joined"]),
  ...rows("rar unrar", ["-p", "joined"], ["-hp", "joined"]),
  ...rows(
    "openssl",
    ["-pass", "next", "pass phrase"],
    ["-passin", "next", "pass phrase"],
    ["-passout", "next", "pass phrase"],
    ["-password", "next", "pass phrase"],
    ["-k", "next", "all", "enc"],
    ["-K", "next", "all", "enc"],
    ["-hmac", "next"],
    ["passwd", "last", "not a flag"],
  ),
  ...rows("keytool jarsigner apksigner", ["-storepass", "next"], ["-keypass", "next"], ["-new", "next"]),
  ...rows("ssh-keygen", ["-N", "either"], ["-P", "either"]),
  ...rows(
    "htpasswd",
    ["-b", "last"],
    ["-nb", "last"],
    ["-bc", "last"],
    ["-cb", "last"],
    ["-bB", "last"],
    ["-Bb", "last"],
  ),
  ...rows("htpasswd", ["-nbB", "last"], ["-cbB", "last"], ["-bcB", "last"], ["-Bbn", "last"], ["-bn", "last"]),
  ...rows("sqlcmd osql bcp isql tsql fisql", ["-P", "either"]),
  ...rows("mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop", [
    "-p",
    "either",
    "not a flag",
  ]),
  ...rows("sqlplus sqlldr expdp impdp exp imp rman", ["", "any", "behind slash"]),
  ...rows("cqlsh cypher-shell snowsql", ["-p", "either"]),
  ...rows("mosquitto_pub mosquitto_sub mosquitto_rr ipmitool ipmipower", ["-P", "either"]),
  ...rows("snmpwalk snmpget snmpset snmpgetnext snmpbulkwalk snmpbulkget snmptrap", ["-A", "either"], ["-X", "either"]),
  ...rows("snmpwalk snmpget snmpset snmpgetnext snmpbulkwalk snmpbulkget snmptrap", ["-c", "either"]),
  ...rows("nmcli", ["password", "next"], ["802-11-wireless-security.psk", "next"], ["wifi-sec.psk", "next"]),
  ...rows("wpa_passphrase", ["", "last"]),
  ...rows("rabbitmqctl", ["add_user", "last"], ["change_password", "last"], ["authenticate_user", "last"]),
  ...rows("useradd usermod groupadd", ["-p", "next"]),
  ...rows("lftp", ["-u", "either", "behind comma"], ["--user", "either", "behind comma"]),
  ...rows("etcdctl", ["--user", "either", "behind colon"]),
  ...rows("dig nsupdate", ["-y", "either", "behind last colon"]),
  ...rows("mc", ["set", "last", "all", "alias"], ["add", "last", "all", "host"]),
  ...rows("vault", ["login", "last", "not a flag"]),
  ...rows("aws", ["aws_secret_access_key", "next"], ["aws_session_token", "next"]),
  ...rows("rclone", ["obscure", "last", "not a flag"]),
  ...rows("doctl linode-cli hcloud flyctl fly", ["-t", "next"]),
  ...rows("tailscale", ["--authkey", "either"], ["--auth-key", "either"]),
];
