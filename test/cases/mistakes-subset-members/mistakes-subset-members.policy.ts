/** Properties and calls that are not there, with what could have been meant. */
import { gre, policy } from "tidegate";

const server = { address: "203.0.113.80", ports: [80, 443] };
const typo = server.adress;
const method = server.ports.lenght;
const called = server.address();
const deeper = server.tls.port;
const spread = [...80];
const merged = { ...["a"] };
const { port } = server;
const [first] = server;
const { x } = null;
const twice = { a: 1, a: 2 };
const hostile = { __proto__: null };
const built = server.constructor;

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
