import { expr } from "tidegate";
import { ports } from "./ports.js";

export const web = expr`tcp.dstport in ${ports}`;
export const offset = 8000;
