// An ordinary host's bustle: shells, a compiler, archives, searches, a small server and its clients, all on loopback.
import { spawn } from "node:child_process";
import { once } from "node:events";

/** One after the other, in a folder of their own that is empty at first; what is not installed fails, as it may. */
const COMMANDS: readonly string[] = [
  "id; uname -a; ps aux; who; hostname; df; cat /etc/os-release /proc/loadavg",
  "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i > file$i; done; ls -la; cat file*; rm -f file1 file2; mv file3 moved",
  "printf 'int main(void){return 0;}' > a.c; cc -O2 -o a a.c && ./a; strip a; ldd a",
  "find /etc /usr/share/doc -maxdepth 2 -name '*.conf' -exec grep -l root {} +",
  "mkdir -p tree/a/b/c; cp a.c tree/a/b/c; tar czf tree.tgz tree; rm -rf tree; tar xzf tree.tgz; chmod -R 700 tree",
  `git init -q repo && cd repo && git config user.email a@b.c && git config user.name a && echo x > f &&
    git add f && git commit -qm f && git log && git status`,
  "python3 -c 'import json, http.client, subprocess; subprocess.run([\"true\"])'",
  "dpkg -l | head; dpkg -S /bin/sh; apt-cache policy bash",
  "sort /etc/services | uniq -c | sort -rn | awk '{print $2}' | sed 's/a/b/' | head -3",
  `node -e 'const http = require("http"); const server = http.createServer((_, a) => a.end("x"));
    server.listen(0, "127.0.0.1", async () => { for (let i = 0; i < 50; i++)
      await (await fetch("http://127.0.0.1:" + server.address().port)).text(); server.close(); });'`,
  "ln -s a.c link; ln a.c hard; touch -d yesterday a.c; stat a.c; md5sum a.c; sleep 0; kill -0 $$",
  "bash -c 'for i in $(seq 50); do /bin/true; done'; env | sort; getent passwd root; getent hosts localhost",
];

/** Runs every command once in `folder`; resolves to how many ended well. */
export async function runWorkload(folder: string): Promise<number> {
  let well = 0;
  for (const command of COMMANDS) {
    const child = spawn("/bin/sh", ["-c", command], { cwd: folder, stdio: "ignore" });
    const [code] = await once(child, "exit");
    if (code === 0) well++;
  }
  return well;
}
