export const ssh = 22;
export const modbus = [502, 802];
