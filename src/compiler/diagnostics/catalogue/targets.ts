/** TG4xxx: a target cannot express what the policy asks for. */
export const TARGETS = {};
