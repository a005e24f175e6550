import { builtFile } from "../host.js";
import { NativeError, NativeProcess } from "../native-process.js";

/** A probe could not be sent, or nobody can listen to answers. */
export class SenderError extends NativeError {}

/** Takes what stands in an answer behind ICMP's header, and when it came, by process.hrtime.bigint(). */
export type OnAnswer = (payload: Buffer, at: bigint) => void;

/** The small native process that sends probes and hears of answers. Methods reject with SenderError. */
export class Sender {
  readonly #process: NativeProcess;

  private constructor(process: NativeProcess) {
    this.#process = process;
  }

  /** Hears of answers with this opening only. */
  static async start(opening: Uint8Array, onAnswer: OnAnswer): Promise<Sender> {
    const command = [builtFile("runtime/health/tidegate-health")] as const;
    const process = await NativeProcess.start(command, SenderError, ([kind, at, payload]) => {
      if (String(kind) === "answer" && at && payload) onAnswer(payload, BigInt(String(at)));
    });
    try {
      await process.call("listen", opening);
    } catch (error) {
      await process.close();
      throw error;
    }
    return new Sender(process);
  }

  get alive(): boolean {
    return this.#process.alive;
  }

  close(): Promise<void> {
    return this.#process.close();
  }

  /** The source that packets of the node's own have to this destination. */
  async ownAddress(destination: string): Promise<string> {
    const [address] = await this.#process.call("own-address", destination);
    return String(address);
  }

  /** Puts an IP packet out of a device of a namespace (its file), past routing and packet filters. */
  async send(namespace: string, device: string, packet: Uint8Array): Promise<void> {
    await this.#process.call("send", namespace, device, packet);
  }

  /** Lets go of a namespace, which else stays as long as this process does. */
  async forget(namespace: string): Promise<void> {
    await this.#process.call("forget", namespace);
  }
}
