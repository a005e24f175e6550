/** Tunnels: where they end, and what their outer header can hold. */
import { gre, ipip, policy } from "tidegate";

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: { default: "drop", rules: [] },
  tunnels: {
    text: gre({ remote: "chicago" }),
    six: gre({ remote: "2001:db8:1::1", df: "inherit" }),
    own: gre({ remote: "203.0.113.1" }),
    local: gre({ remote: "127.0.0.1" }),
    ttl: gre({ remote: "198.51.100.1", ttl: 256 }),
    mtu: gre({ remote: "198.51.100.2", mtu: 60 }),
    key: gre({ remote: "198.51.100.3", key: -1 }),
    one: gre({ remote: "198.51.100.4", key: 7 }),
    other: gre({ remote: "198.51.100.4", key: 7 }),
    Loud: gre({ remote: "198.51.100.5" }),
    keyed: ipip({ remote: "198.51.100.6", key: 7 }),
    cut: ipip({ remote: "198.51.100.7", df: "inherit", ttl: 32 }),
    small: ipip({ remote: "198.51.100.8", mtu: 1200 }),
    class: gre({ remote: "198.51.100.9", dscp: "inherits" }),
    segments: gre({ remote: "198.51.100.10", mtu: 1400, mss: 1400 }),
  },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "ttl" }],
});
