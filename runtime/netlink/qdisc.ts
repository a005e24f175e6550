import { findLink } from "./link.js";
import { attribute, FLAG, message, readAttributes, readText, text, u32 } from "./message.js";
import { ask, type Network, type Request } from "./network.js";

/** Queueing disciplines: RTM_*QDISC, with `struct tcmsg`. */
const RTM = { newQdisc: 36, delQdisc: 37, getQdisc: 38 };
const TCA_KIND = 1;

/** Where clsact sits, and its handle (TC_H_CLSACT of linux/pkt_sched.h). */
const PARENT = 0xfffffff1;
const HANDLE = 0xffff0000;

/** `struct tcmsg`: family and padding, index of the device, handle, parent, info. */
const TCMSG = 20;

function tcmsg(index: number, handle: number): Buffer {
  return Buffer.concat([u32(0), u32(index), u32(handle), u32(PARENT), u32(0)]);
}

/** Has the device the hook that classifiers sit at? */
export async function hasClsact(network: Network, device: string): Promise<boolean> {
  const link = await findLink(network, device);
  if (!link) return false;
  const question = message(RTM.getQdisc, FLAG.echo, tcmsg(link.index, 0));
  const answers = await ask(network, `qdisc show dev ${device} clsact`, question, ["ENOENT", "EINVAL"]);
  return answers.some(({ body }) => {
    const name = readAttributes(body, TCMSG).get(TCA_KIND);
    return name !== undefined && readText(name) === "clsact";
  });
}

export function addClsact(device: string): Request {
  return about("add", RTM.newQdisc, FLAG.create | FLAG.exclusive, device);
}

export function deleteClsact(device: string): Request {
  return about("del", RTM.delQdisc, 0, device);
}

function about(verb: string, type: number, flags: number, device: string): Request {
  return {
    words: `qdisc ${verb} dev ${device} clsact`,
    devices: [device],
    encode: (indexOf) =>
      message(type, flags, tcmsg(indexOf(device), HANDLE), attribute(TCA_KIND, text("clsact"))),
  };
}
