import { offset } from "./servers.js";

export const ports = [offset + 80, offset + 443];
