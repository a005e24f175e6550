export const mail = [25, 465, 587];
