import { allow, expr } from "tidegate";
import * as ports from "../ports.js";

export const web = (name: string, server: string) =>
  allow(name, expr`ip.dst == ${server} and tcp.dstport in {80 443} and tcp.srcport != ${ports.ssh}`);
