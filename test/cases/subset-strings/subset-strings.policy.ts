/** Template strings, and the methods of strings. A text that holds an address is an address in an expression. */
import { allow, expr, gre, policy } from "tidegate";

const network = "203.0.113";
const site = "  Chicago-North ".trim().toLowerCase();
const [city = "none", side = "none"] = site.split("-");
const code = city.slice(0, 3).toUpperCase().toLowerCase();
const listed = "22, 80 ,443".split(",").map((text) => Number(text.trim()));
const padded = `r${String(7).padStart(3, "0")}`;
const underlined = "a_b_c".replaceAll("_", "-").replace("c", "d");

export default policy({
  customer: "acme",
  prefixes: ["203.0.113.0/24"],
  firewall: {
    default: "drop",
    rules: [
      allow(`${code}-${side}`, expr`ip.dst == ${`${network}.${listed.length}`}`),
      allow(padded, expr`ip.src in {${"192.0.2.0".concat("/", "25")}}`),
      allow(underlined, expr`tcp.dstport in ${listed}`),
      allow(city.startsWith("chi") && city.endsWith("o") ? "yes" : "no", expr`tcp.dstport == ${site.indexOf("-")}`),
    ],
  },
  tunnels: { main: gre({ remote: "198.51.100.1" }) },
  routes: [{ prefix: "203.0.113.0/24", tunnel: "main" }],
});
