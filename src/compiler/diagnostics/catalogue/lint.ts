/** TG3xxx: the policy can be read, but cannot be meant. */
export const LINT = {};
