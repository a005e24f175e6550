import { list } from "tidegate";

export const office = "198.51.100.0/24";
export const plant = "192.0.2.0/25";

const networks = list([office, plant]);
export default networks;
