import { drop, expr } from "tidegate";

export const office = "198.51.100.7/24";

export const deny = (name: string, network: string) =>
  drop(name, expr`ip.src in {${network}} and tcp.dstprot == 22`);
