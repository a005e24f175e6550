import { inFile, type Mutation } from "../mutation.js";

const RECONCILER = ["unit/daemon-reconciler", "unit/daemon-waiting", "unit/daemon-mending"];

/** What would make a node follow its store wrongly, or not at all. */
export const DAEMON: readonly Mutation[] = [
  ...inFile(
    "runtime/store/dir-store.ts",
    ["unit/store-dir"],
    [
      {
        name: "blob-as-it-is",
        models: "a blob that was damaged is handed out",
        from: "return sha256(bytes) === hash ? bytes : undefined;",
        to: "return bytes;",
      },
      {
        name: "head-under-any-name",
        models: "a head that was copied to another customer's name is that customer's",
        from: "if (data.customer !== customer || data.revision !== revision)",
        to: "if (data.revision !== revision)",
      },
      {
        name: "first-head-stays",
        models: "the lowest revision counts",
        from: "latest.set(customer, Math.max(revision, latest.get(customer) ?? 0));",
        to: "latest.set(customer, Math.min(revision, latest.get(customer) ?? revision));",
      },
      {
        name: "revisions-left-out",
        models: "a publisher may leave revisions out, and so overtake others",
        from: "if (before !== after) throw taken(before);",
        to: "if (before > after) throw taken(before);",
      },
      {
        name: "both-publishers-win",
        models: "of two publishers at the same moment both hear that theirs is the head",
        from: 'throw hasErrno(error, "EEXIST") ? taken(revision) : error;',
        to: 'if (!hasErrno(error, "EEXIST")) throw error;',
      },
      {
        name: "old-blobs-go-though-needed",
        models: "what has lain in the store for a day is cleared away, also where a head needs it",
        from: "if (!needed.has(name + rest) && (await lstat(file))",
        to: "if ((await lstat(file))",
      },
      {
        name: "unreadable-head-needs-nothing",
        models: "the blobs of a head that cannot be read are cleared away",
        from: "  } catch {\n    return undefined;\n",
        to: "  } catch {\n    return needed;\n",
      },
    ],
  ),
  ...inFile(
    "runtime/store/bundles.ts",
    ["unit/store-dir"],
    [
      {
        name: "bundle-of-another-customer",
        models: "who may publish for one customer publishes for another",
        from: "if (manifest.customer === customer) return;",
        to: 'if (manifest.customer !== "") return;',
      },
      {
        name: "fetched-without-end",
        models: "what a store hands out fills the node's memory",
        from: "left -= bytes.length;",
        to: "left -= 0 * bytes.length;",
      },
    ],
  ),
  ...inFile("runtime/daemon/waiting.ts", RECONCILER, [
    {
      name: "back-off-never-grows",
      models: "what fails is tried each second for ever",
      from: "FIRST_MS * 2 ** Math.min(failures - 1, 20)",
      to: "FIRST_MS * 2 ** Math.min(failures - 1, 0)",
    },
    {
      name: "back-off-without-end",
      models: "after a day of failures the next try is days away",
      from: "return Math.min(LONGEST_MS, FIRST_MS",
      to: "return Math.max(FIRST_MS, FIRST_MS",
    },
    {
      name: "new-head-waits-for-the-old",
      models: "a new revision is not tried before the failed one's turn",
      from: "wait === undefined || wait.revision !== revision || wait.due <= this.#now()",
      to: "wait === undefined || wait.due <= this.#now()",
    },
    {
      name: "new-head-inherits-the-back-off",
      models: "the failures of the revision before count against a new one",
      from: "const again = before?.revision === revision;",
      to: "const again = before !== undefined;",
    },
    {
      name: "others-change-in-vain",
      models: "who waits for another customer to give way does not hear of it",
      from: "this.#waits.set(customer, { ...wait, due: this.#now() });",
      to: "this.#waits.set(customer, { ...wait });",
    },
    {
      name: "next-try-is-the-last",
      models: "the daemon sleeps until the last of those that wait is due",
      from: "const due = Math.min(...",
      to: "const due = Math.max(...",
    },
    {
      name: "others-fault-is-the-bundles",
      models: "a bundle whose prefix another customer still holds is refused for good",
      from: "!OTHERS_FAULT.has(code)",
      to: '!OTHERS_FAULT.has("")',
    },
  ]),
  ...inFile("runtime/daemon/reconciler.ts", RECONCILER, [
    {
      name: "refused-and-forgotten",
      models: "a bad revision is tried again in each round",
      from: 'await this.#note(customer, { revision, state: "refused", why, last });',
      to: "",
    },
    {
      name: "last-good-one-forgotten",
      models: "after a refusal nobody knows what runs on",
      from: 'state: "refused", why, last });',
      to: 'state: "refused", why, last: null });',
    },
    {
      name: "reconsidered-for-ever",
      models: "what was refused again after SIGHUP is tried again in each round",
      from: "this.#again.delete(customer);\n      await this.#note",
      to: "await this.#note",
    },
    {
      name: "stop-at-the-end-of-the-round",
      models: "a daemon that is to end goes through all customers first",
      from: "if (isStopping()) return;\n      const isNew",
      to: "const isNew",
    },
    {
      name: "missing-head-removes",
      models: "a customer whose head is missing by mistake is taken away",
      from: "this.#tell(`head of ${customer}`",
      to: "if (isGone) await this.#options.engine.remove(customer);\n      this.#tell(`head of ${customer}`",
    },
    {
      name: "fetched-and-left",
      models: "what was fetched stays in the node's memory",
      from: "await engine.clearIncoming(customer);\n    }\n  }\n\n  async #failed",
      to: "}\n  }\n\n  async #failed",
    },
    {
      name: "nobody-hurried",
      models: "after a customer's change those that wait for it go on waiting",
      from: "this.#waiting.hurry();\n    } catch",
      to: "} catch",
    },
    {
      name: "any-bundle-mends",
      models: "what the store has takes the place of what somebody applied by hand",
      from: "if (last?.files[MANIFEST_FILE] !== hash) {",
      to: "if (!last) {",
    },
    {
      name: "looks-at-the-first-only",
      models: "of many customers the first sixteen are looked at, again and again",
      from: 'this.#lastLookedAt = turn.at(-1) ?? "";',
      to: 'this.#lastLookedAt = "";',
    },
    {
      name: "same-node-described-anew",
      models: "each round puts everything in force again",
      from: "if (JSON.stringify(before) === text) return;",
      to: "",
    },
  ]),
  ...inFile("runtime/daemon/memory.ts", RECONCILER, [
    {
      name: "remembered-in-memory-only",
      models: "a daemon that starts anew tries everything again that was refused",
      from: "await this.#write();",
      to: "",
    },
  ]),
  ...inFile(
    "runtime/daemon/journal.ts",
    ["unit/daemon-journal"],
    [
      {
        name: "lines-of-anybody",
        models: "a name with a newline in it writes lines of its own into the journal",
        from: 'text.replace(CONTROL, " ").trim()',
        to: "text.trim()",
      },
    ],
  ),
  ...inFile(
    "runtime/metrics/metrics.ts",
    ["unit/metrics"],
    [
      {
        name: "scrapes-add-up",
        models: "what the kernel counted is counted again at each scrape",
        from: "metric.reset();",
        to: "void metric;",
      },
      {
        name: "every-rule-is-a-limit",
        models: "packets that a rule dropped count as over the rate of a limit",
        from: 'if (action === "limit")',
        to: 'if (action !== "")',
        killers: ["kernel/metrics"],
      },
    ],
  ),
  ...inFile(
    "runtime/gre/ebpf.ts",
    ["kernel/metrics"],
    [
      {
        name: "tunnel-counts-the-other-way",
        models: "what a tunnel received counts as sent",
        from: "return { sent: at(0), received: at(1), dropped: at(2) };",
        to: "return { sent: at(1), received: at(0), dropped: at(2) };",
      },
    ],
  ),
  ...inFile(
    "runtime/gre/ebpf.ts",
    ["kernel/runtime-drift"],
    [
      {
        name: "tunnels-forgotten-by-new-maps",
        models: "programs of tunnels that are loaded anew know no tunnel of another customer",
        from: "const known = await fillAll(host, standing);",
        to: "const known = await fillAll(host, []);",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/standing.ts",
    ["kernel/runtime-drift"],
    [
      {
        name: "others-keep-the-old-anycast-address",
        models: "another anycast address takes its source from tunnels of the other customers",
        from: "await gre.alter(bundle, row, now, { row, anycast: then });",
        to: "void then;",
      },
    ],
  ),
  ...inFile(
    "src/cli/edge/reading.ts",
    ["unit/edge-reading"],
    [
      {
        name: "edge-of-yesterday",
        models: "an edge.ts that has changed is taken for what it was",
        from: "if (reading.sha256 !== sha256(readSource(file))) return false;",
        to: "readSource(file);",
      },
      {
        name: "imports-of-yesterday",
        models: "a list that edge.ts imports has changed, and the old one counts",
        from: "found.file === one.file && sha256(found.text) === one.sha256",
        to: "found.file === one.file",
      },
      {
        name: "edge-of-another-compiler",
        models: "what another compiler made of edge.ts counts",
        from: "if (reading.file !== file || reading.build !== buildHash()) return false;",
        to: "if (reading.file !== file) return false;",
      },
    ],
  ),
  ...inFile(
    "src/cli/edge/load-edge.ts",
    ["unit/edge-reading"],
    [
      {
        name: "edge-of-anybody",
        models: "what anybody may have written counts as the node's description",
        from: "await requireOwnFolder(stateDir);",
        to: "void requireOwnFolder;",
      },
    ],
  ),
  ...inFile(
    "src/cli/handed-over.ts",
    ["kernel/handover"],
    [
      {
        name: "node-of-the-daemon",
        models:
          "the daemon puts a bundle in force on the node as it knows it, though edge.ts says something else now",
        from: "|| !isCurrent(edge, edge.file)) return undefined;",
        to: ") return undefined;",
      },
      {
        name: "edge-of-the-daemon",
        models: "the daemon takes its own edge.ts for whichever the operator names",
        from: "const isOurs = realpathSync(at(asked.edge)) === realpathSync(edge.file);",
        to: "const isOurs = realpathSync(at(asked.edge)) !== edge.sha256;",
      },
    ],
  ),
  ...inFile(
    "runtime/daemon/engine.ts",
    ["kernel/own-address"],
    [
      {
        name: "own-addresses-looked-at-by-nobody",
        models: "the daemon's look says nothing of the server's own addresses",
        from: "warnOfOwn(manifest, own)]",
        to: "warnOfOwn(manifest, own.slice(0, 0))]",
      },
    ],
  ),
  ...inFile("runtime/daemon/reconciler.ts", RECONCILER, [
    {
      name: "own-address-said-twice",
      models: "what a change has said of the server's own addresses each look says once more",
      from: "for (const one of warnings.filter((one) => !isOwn(one)))",
      to: "for (const one of warnings)",
    },
    {
      name: "own-address-of-who-is-gone",
      models: "a trouble outlives its customer, and is not said of the next of that name",
      from: "new Set([...this.#troubled, ...warnings.keys()])",
      to: "new Set(warnings.keys())",
    },
  ]),
];
