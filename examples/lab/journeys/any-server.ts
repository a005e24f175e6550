import type { Counters } from "../counters.js";
import type { Host } from "../host.js";
import { EDGES, type EdgeName, type Journey, type Lab, type Observed, observe, type Row } from "../lab.js";
import { end, printed } from "../process.js";
import { judgeReturn } from "../reference.js";
import { actor } from "../tools.js";
import { takeTurns } from "../turns.js";
import { FTP } from "./ftp.js";

/** FTP's port for data, which Acme's policy allows. */
const PORT = "20";
const BYTES = 1_000_000;

/** What the client says of its download. */
interface Download {
  readonly bytes: number;
  readonly same: boolean;
}

export const anyServer: Journey = {
  title: "Any server will do",
  about:
    "the anycast address is at all three edges, and each packet of a download comes to the next one: one TCP connection",
  travel: async (lab) => {
    const giveBack = await takeTurns(lab.world);
    try {
      return [describe(lab, await observe(lab, EDGES, () => download(lab)))];
    } finally {
      await giveBack();
    }
  },
};

async function download({ world }: Lab): Promise<Download> {
  const server = world.host("acme-ftp").start(actor("download-server", FTP, PORT, String(BYTES)));
  try {
    await printed(server, "stdout", "listening");
    return await fetchFrom(world.host("client"));
  } finally {
    await end(server);
  }
}

async function fetchFrom(client: Host): Promise<Download> {
  return JSON.parse(await client.run(actor("download-client", FTP, PORT))) as Download;
}

function describe(lab: Lab, { result, moved, arrived }: Observed<Download>): Row {
  const answers = arrived.get("client") ?? [];
  const verdicts = new Set(answers.map((packet) => judgeReturn(lab.policies, "acme", packet)));
  const shares = EDGES.map((edge) => passed(moved, edge));
  const kept = result.same && result.bytes === BYTES;
  return {
    packet: `${answers.length} TCP packets ${FTP}:${PORT} > client`,
    verdict: [...verdicts].join(),
    reference: `all ${[...verdicts].join(", ")} · the way back`,
    kernel: `${answers.length} arrived at the client: ${result.bytes} bytes, ${kept ? "as they were sent" : "not what was sent"}`,
    counters: EDGES.map((edge, index) => `${edge}: acme return-passed +${shares[index]}`).join(", "),
    agrees:
      kept &&
      [...verdicts].join() === "passed" &&
      shares.reduce((sum, share) => sum + share, 0) === answers.length &&
      Math.max(...shares) - Math.min(...shares) <= 1,
  };
}

function passed(moved: Readonly<Record<EdgeName, Counters>>, edge: EdgeName): number {
  return moved[edge].get("acme return-passed") ?? 0;
}
