export { web } from "./web.js";
export * from "./mail.js";
