import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { causeOf } from "../failures.js";
import type { Metrics } from "./metrics.js";

export interface MetricsServer {
  /** Where it listens, as `address:port`. */
  readonly address: string;
  close(): Promise<void>;
}

/** Answers `GET /metrics` at an address; rejects if that cannot be had. Everybody who reaches it may read. */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") return answer(response, 404, "metrics are at /metrics\n");
    if (request.method !== "GET") return answer(response, 405, "only GET\n");
    metrics.text().then(
      (text) => answer(response, 200, text, metrics.contentType),
      (error: unknown) => answer(response, 500, `${causeOf(error)}\n`),
    );
  });
  // Who opens connections and says nothing must not keep them.
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    address: addressOf(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type }).end(text);
}

function addressOf(bound: AddressInfo | string | null): string {
  if (bound === null || typeof bound === "string") return bound ?? "";
  return bound.family === "IPv6" ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}
