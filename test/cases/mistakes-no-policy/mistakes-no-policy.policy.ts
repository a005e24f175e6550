/** A file that exports no policy. */
import { allow, expr, policy } from "tidegate";

const web = allow("web", expr`tcp.dstport == 443`);

policy({ customer: "acme", prefixes: ["203.0.113.0/24"], firewall: { default: "drop", rules: [web] } });
